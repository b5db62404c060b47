--
-- PostgreSQL database dump
--

\restrict mU1TjfPK3VbsIphXPBykfzHN8s7pPtV65V0b8lcUHLhZEcJWb6wxbrIAPPua21I

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: we.ird; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "we.ird";


ALTER SCHEMA "we.ird" OWNER TO postgres;

--
-- Name: ct; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.ct AS (
	a integer,
	b text
);


ALTER TYPE public.ct OWNER TO postgres;

--
-- Name: mood; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'it''s; "fine"'
);


ALTER TYPE public.mood OWNER TO postgres;

--
-- Name: f1(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.f1() RETURNS integer
    LANGUAGE plpgsql
    AS $$ BEGIN -- COPY x FROM stdin;
 /* ' */ RETURN 1; END $$;


ALTER FUNCTION public.f1() OWNER TO postgres;

--
-- Name: f2(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.f2(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (a > 1) THEN 1
             ELSE 2
         END AS "case";
 SELECT (a + 1);
END;


ALTER FUNCTION public.f2(a integer) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: parent; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.parent (
    id integer NOT NULL,
    a text,
    CONSTRAINT ck CHECK ((a <> ');'::text))
);


ALTER TABLE public.parent OWNER TO postgres;

--
-- Name: TABLE parent; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.parent IS 'a ; comment
COPY parent (id, a) FROM stdin;
1	x
\.
';


--
-- Name: child; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.child (
    b text
)
INHERITS (public.parent);


ALTER TABLE public.child OWNER TO postgres;

--
-- Name: empty_table; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.empty_table (
    id integer NOT NULL
);


ALTER TABLE public.empty_table OWNER TO postgres;

--
-- Name: kinds; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.kinds (
    id bigint NOT NULL,
    i2 smallint,
    n numeric,
    n2 numeric(20,5),
    f4 real,
    f8 double precision,
    b boolean,
    t text,
    v character varying(30) DEFAULT 'a;''b'::character varying,
    c character(5),
    by bytea,
    ts timestamp without time zone,
    tz timestamp with time zone,
    d date,
    tm time without time zone,
    u uuid,
    j json,
    jb jsonb,
    ia integer[],
    ta text[],
    m public.mood,
    ip inet,
    bi bit(5),
    iv interval,
    gen integer GENERATED ALWAYS AS ((i2 * 2)) STORED
);


ALTER TABLE public.kinds OWNER TO postgres;

--
-- Name: kinds_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.kinds ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.kinds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: meas; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.meas (
    city integer NOT NULL,
    day date NOT NULL,
    v double precision
)
PARTITION BY RANGE (day);


ALTER TABLE public.meas OWNER TO postgres;

--
-- Name: meas1; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.meas1 (
    city integer NOT NULL,
    day date NOT NULL,
    v double precision
);


ALTER TABLE public.meas1 OWNER TO postgres;

--
-- Name: meas2; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.meas2 (
    city integer NOT NULL,
    day date NOT NULL,
    v double precision
);


ALTER TABLE public.meas2 OWNER TO postgres;

--
-- Name: mv; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.mv AS
 SELECT count(*) AS count
   FROM public.parent
  WITH NO DATA;


ALTER TABLE public.mv OWNER TO postgres;

--
-- Name: sq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.sq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.sq OWNER TO postgres;

--
-- Name: typed; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.typed OF public.ct (
    a NOT NULL
);


ALTER TABLE public.typed OWNER TO postgres;

--
-- Name: unl; Type: TABLE; Schema: public; Owner: postgres
--

CREATE UNLOGGED TABLE public.unl (
    id uuid NOT NULL,
    exclude text,
    "primary" text
);


ALTER TABLE public.unl OWNER TO postgres;

--
-- Name: Ta"b;le -- x; Type: TABLE; Schema: we.ird; Owner: postgres
--

CREATE TABLE "we.ird"."Ta""b;le -- x" (
    "k;1" text NOT NULL,
    "K 2" text NOT NULL,
    "select" text,
    "Üml" integer
);


ALTER TABLE "we.ird"."Ta""b;le -- x" OWNER TO postgres;

--
-- Name: meas1; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.meas ATTACH PARTITION public.meas1 FOR VALUES FROM ('2024-01-01') TO ('2024-06-01');


--
-- Name: meas2; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.meas ATTACH PARTITION public.meas2 FOR VALUES FROM ('2024-06-01') TO ('2025-01-01');


--
-- Name: 16592; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('16592');


ALTER LARGE OBJECT 16592 OWNER TO postgres;

--
-- Data for Name: child; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.child VALUES
	(2, 'c', 'x'),
	(3, 'd', NULL) ON CONFLICT DO NOTHING;


--
-- Data for Name: empty_table; Type: TABLE DATA; Schema: public; Owner: postgres
--



--
-- Data for Name: kinds; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 0.14285714285714285714, 1.50000, 0.33333334, 0.1, false, 'te\xt	1
;''"--/*', 'v1', 'c1   ', '\xc4ca4238a0b923820dcc509a6f75849b', '2024-01-01 01:00:03.5', '2024-01-02 00:00:00+00', '2024-01-02', '10:00:00', 'c4ca4238-a0b9-2382-0dcc-509a6f75849b', '{"a": 1, "a":  2}', '{"a": 1, "b": 1}', '{1,NULL,2}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '1 day 02:00:00', DEFAULT),
	(2, 2, 0.28571428571428571429, 3.00000, 0.6666667, 0.2, true, 'te\xt	2
;''"--/*', 'v2', 'c2   ', '\xc81e728d9d4c2f636f067f89cc14862c', '2024-01-01 02:00:07', '2024-01-03 00:00:00+00', '2024-01-03', '10:00:00', 'c81e728d-9d4c-2f63-6f06-7f89cc14862c', '{"a": 2, "a":  2}', '{"a": 2, "b": 1}', '{2,NULL,3}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '2 days 04:00:00', DEFAULT),
	(3, 3, 0.42857142857142857143, 4.50000, 1, 0.30000000000000004, false, 'te\xt	3
;''"--/*', 'v3', 'c3   ', '\xeccbc87e4b5ce2fe28308fd9f2a7baf3', '2024-01-01 03:00:10.5', '2024-01-04 00:00:00+00', '2024-01-04', '10:00:00', 'eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3', '{"a": 3, "a":  2}', '{"a": 3, "b": 1}', '{3,NULL,4}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '3 days 06:00:00', DEFAULT),
	(4, 4, 0.57142857142857142857, 6.00000, 1.3333334, 0.4, true, 'te\xt	4
;''"--/*', 'v4', 'c4   ', '\xa87ff679a2f3e71d9181a67b7542122c', '2024-01-01 04:00:14', '2024-01-05 00:00:00+00', '2024-01-05', '10:00:00', 'a87ff679-a2f3-e71d-9181-a67b7542122c', '{"a": 4, "a":  2}', '{"a": 4, "b": 1}', '{4,NULL,5}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '4 days 08:00:00', DEFAULT),
	(5, 5, 0.71428571428571428571, 7.50000, 1.6666666, 0.5, false, 'te\xt	5
;''"--/*', 'v5', 'c5   ', '\xe4da3b7fbbce2345d7772b0674a318d5', '2024-01-01 05:00:17.5', '2024-01-06 00:00:00+00', '2024-01-06', '10:00:00', 'e4da3b7f-bbce-2345-d777-2b0674a318d5', '{"a": 5, "a":  2}', '{"a": 5, "b": 1}', '{5,NULL,6}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '5 days 10:00:00', DEFAULT),
	(6, 6, 0.85714285714285714286, 9.00000, 2, 0.6000000000000001, true, 'te\xt	6
;''"--/*', 'v6', 'c6   ', '\x1679091c5a880faf6fb5e6087eb1b2dc', '2024-01-01 06:00:21', '2024-01-07 00:00:00+00', '2024-01-07', '10:00:00', '1679091c-5a88-0faf-6fb5-e6087eb1b2dc', '{"a": 6, "a":  2}', '{"a": 6, "b": 1}', '{6,NULL,7}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '6 days 12:00:00', DEFAULT),
	(7, 7, 1.00000000000000000000, 10.50000, 2.3333333, 0.7000000000000001, false, 'te\xt	7
;''"--/*', 'v7', 'c7   ', '\x8f14e45fceea167a5a36dedd4bea2543', '2024-01-01 07:00:24.5', '2024-01-08 00:00:00+00', '2024-01-08', '10:00:00', '8f14e45f-ceea-167a-5a36-dedd4bea2543', '{"a": 7, "a":  2}', '{"a": 7, "b": 1}', '{7,NULL,8}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '7 days 14:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(8, 8, 1.1428571428571429, 12.00000, 2.6666667, 0.8, true, 'te\xt	8
;''"--/*', 'v8', 'c8   ', '\xc9f0f895fb98ab9159f51fd0297e236d', '2024-01-01 08:00:28', '2024-01-09 00:00:00+00', '2024-01-09', '10:00:00', 'c9f0f895-fb98-ab91-59f5-1fd0297e236d', '{"a": 8, "a":  2}', '{"a": 8, "b": 1}', '{8,NULL,9}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '8 days 16:00:00', DEFAULT),
	(9, 9, 1.2857142857142857, 13.50000, 3, 0.9, false, 'te\xt	9
;''"--/*', 'v9', 'c9   ', '\x45c48cce2e2d7fbdea1afc51c7c6ad26', '2024-01-01 09:00:31.5', '2024-01-10 00:00:00+00', '2024-01-10', '10:00:00', '45c48cce-2e2d-7fbd-ea1a-fc51c7c6ad26', '{"a": 9, "a":  2}', '{"a": 9, "b": 1}', '{9,NULL,10}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '9 days 18:00:00', DEFAULT),
	(10, 10, 1.4285714285714286, 15.00000, 3.3333333, 1, true, 'te\xt	10
;''"--/*', 'v10', 'c10  ', '\xd3d9446802a44259755d38e6d163e820', '2024-01-01 10:00:35', '2024-01-11 00:00:00+00', '2024-01-11', '10:00:00', 'd3d94468-02a4-4259-755d-38e6d163e820', '{"a": 10, "a":  2}', '{"a": 10, "b": 1}', '{10,NULL,11}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '10 days 20:00:00', DEFAULT),
	(11, 11, 1.5714285714285714, 16.50000, 3.6666667, 1.1, false, 'te\xt	11
;''"--/*', 'v11', 'c11  ', '\x6512bd43d9caa6e02c990b0a82652dca', '2024-01-01 11:00:38.5', '2024-01-12 00:00:00+00', '2024-01-12', '10:00:00', '6512bd43-d9ca-a6e0-2c99-0b0a82652dca', '{"a": 11, "a":  2}', '{"a": 11, "b": 1}', '{11,NULL,12}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '11 days 22:00:00', DEFAULT),
	(12, 12, 1.7142857142857143, 18.00000, 4, 1.2000000000000002, true, 'te\xt	12
;''"--/*', 'v12', 'c12  ', '\xc20ad4d76fe97759aa27a0c99bff6710', '2024-01-01 12:00:42', '2024-01-13 00:00:00+00', '2024-01-13', '10:00:00', 'c20ad4d7-6fe9-7759-aa27-a0c99bff6710', '{"a": 12, "a":  2}', '{"a": 12, "b": 1}', '{12,NULL,13}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '12 days 24:00:00', DEFAULT),
	(13, 13, 1.8571428571428571, 19.50000, 4.3333335, 1.3, false, 'te\xt	13
;''"--/*', 'v13', 'c13  ', '\xc51ce410c124a10e0db5e4b97fc2af39', '2024-01-01 13:00:45.5', '2024-01-14 00:00:00+00', '2024-01-14', '10:00:00', 'c51ce410-c124-a10e-0db5-e4b97fc2af39', '{"a": 13, "a":  2}', '{"a": 13, "b": 1}', '{13,NULL,14}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '13 days 26:00:00', DEFAULT),
	(14, 14, 2.0000000000000000, 21.00000, 4.6666665, 1.4000000000000001, true, 'te\xt	14
;''"--/*', 'v14', 'c14  ', '\xaab3238922bcc25a6f606eb525ffdc56', '2024-01-01 14:00:49', '2024-01-15 00:00:00+00', '2024-01-15', '10:00:00', 'aab32389-22bc-c25a-6f60-6eb525ffdc56', '{"a": 14, "a":  2}', '{"a": 14, "b": 1}', '{14,NULL,15}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '14 days 28:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(15, 15, 2.1428571428571429, 22.50000, 5, 1.5, false, 'te\xt	15
;''"--/*', 'v15', 'c15  ', '\x9bf31c7ff062936a96d3c8bd1f8f2ff3', '2024-01-01 15:00:52.5', '2024-01-16 00:00:00+00', '2024-01-16', '10:00:00', '9bf31c7f-f062-936a-96d3-c8bd1f8f2ff3', '{"a": 15, "a":  2}', '{"a": 15, "b": 1}', '{15,NULL,16}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '15 days 30:00:00', DEFAULT),
	(16, 16, 2.2857142857142857, 24.00000, 5.3333335, 1.6, true, 'te\xt	16
;''"--/*', 'v16', 'c16  ', '\xc74d97b01eae257e44aa9d5bade97baf', '2024-01-01 16:00:56', '2024-01-17 00:00:00+00', '2024-01-17', '10:00:00', 'c74d97b0-1eae-257e-44aa-9d5bade97baf', '{"a": 16, "a":  2}', '{"a": 16, "b": 1}', '{16,NULL,17}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '16 days 32:00:00', DEFAULT),
	(17, 17, 2.4285714285714286, 25.50000, 5.6666665, 1.7000000000000002, false, 'te\xt	17
;''"--/*', 'v17', 'c17  ', '\x70efdf2ec9b086079795c442636b55fb', '2024-01-01 17:00:59.5', '2024-01-18 00:00:00+00', '2024-01-18', '10:00:00', '70efdf2e-c9b0-8607-9795-c442636b55fb', '{"a": 17, "a":  2}', '{"a": 17, "b": 1}', '{17,NULL,18}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '17 days 34:00:00', DEFAULT),
	(18, 18, 2.5714285714285714, 27.00000, 6, 1.8, true, 'te\xt	18
;''"--/*', 'v18', 'c18  ', '\x6f4922f45568161a8cdf4ad2299f6d23', '2024-01-01 18:01:03', '2024-01-19 00:00:00+00', '2024-01-19', '10:00:00', '6f4922f4-5568-161a-8cdf-4ad2299f6d23', '{"a": 18, "a":  2}', '{"a": 18, "b": 1}', '{18,NULL,19}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '18 days 36:00:00', DEFAULT),
	(19, 19, 2.7142857142857143, 28.50000, 6.3333335, 1.9000000000000001, false, 'te\xt	19
;''"--/*', 'v19', 'c19  ', '\x1f0e3dad99908345f7439f8ffabdffc4', '2024-01-01 19:01:06.5', '2024-01-20 00:00:00+00', '2024-01-20', '10:00:00', '1f0e3dad-9990-8345-f743-9f8ffabdffc4', '{"a": 19, "a":  2}', '{"a": 19, "b": 1}', '{19,NULL,20}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '19 days 38:00:00', DEFAULT),
	(20, 20, 2.8571428571428571, 30.00000, 6.6666665, 2, true, 'te\xt	20
;''"--/*', 'v20', 'c20  ', '\x98f13708210194c475687be6106a3b84', '2024-01-01 20:01:10', '2024-01-21 00:00:00+00', '2024-01-21', '10:00:00', '98f13708-2101-94c4-7568-7be6106a3b84', '{"a": 20, "a":  2}', '{"a": 20, "b": 1}', '{20,NULL,21}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '20 days 40:00:00', DEFAULT),
	(21, 21, 3.0000000000000000, 31.50000, 7, 2.1, false, 'te\xt	21
;''"--/*', 'v21', 'c21  ', '\x3c59dc048e8850243be8079a5c74d079', '2024-01-01 21:01:13.5', '2024-01-22 00:00:00+00', '2024-01-22', '10:00:00', '3c59dc04-8e88-5024-3be8-079a5c74d079', '{"a": 21, "a":  2}', '{"a": 21, "b": 1}', '{21,NULL,22}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '21 days 42:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(22, 22, 3.1428571428571429, 33.00000, 7.3333335, 2.2, true, 'te\xt	22
;''"--/*', 'v22', 'c22  ', '\xb6d767d2f8ed5d21a44b0e5886680cb9', '2024-01-01 22:01:17', '2024-01-23 00:00:00+00', '2024-01-23', '10:00:00', 'b6d767d2-f8ed-5d21-a44b-0e5886680cb9', '{"a": 22, "a":  2}', '{"a": 22, "b": 1}', '{22,NULL,23}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '22 days 44:00:00', DEFAULT),
	(23, 23, 3.2857142857142857, 34.50000, 7.6666665, 2.3000000000000003, false, 'te\xt	23
;''"--/*', 'v23', 'c23  ', '\x37693cfc748049e45d87b8c7d8b9aacd', '2024-01-01 23:01:20.5', '2024-01-24 00:00:00+00', '2024-01-24', '10:00:00', '37693cfc-7480-49e4-5d87-b8c7d8b9aacd', '{"a": 23, "a":  2}', '{"a": 23, "b": 1}', '{23,NULL,24}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '23 days 46:00:00', DEFAULT),
	(24, 24, 3.4285714285714286, 36.00000, 8, 2.4000000000000004, true, 'te\xt	24
;''"--/*', 'v24', 'c24  ', '\x1ff1de774005f8da13f42943881c655f', '2024-01-02 00:01:24', '2024-01-25 00:00:00+00', '2024-01-25', '10:00:00', '1ff1de77-4005-f8da-13f4-2943881c655f', '{"a": 24, "a":  2}', '{"a": 24, "b": 1}', '{24,NULL,25}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '24 days 48:00:00', DEFAULT),
	(25, 25, 3.5714285714285714, 37.50000, 8.333333, 2.5, false, 'te\xt	25
;''"--/*', 'v25', 'c25  ', '\x8e296a067a37563370ded05f5a3bf3ec', '2024-01-02 01:01:27.5', '2024-01-26 00:00:00+00', '2024-01-26', '10:00:00', '8e296a06-7a37-5633-70de-d05f5a3bf3ec', '{"a": 25, "a":  2}', '{"a": 25, "b": 1}', '{25,NULL,26}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '25 days 50:00:00', DEFAULT),
	(26, 26, 3.7142857142857143, 39.00000, 8.666667, 2.6, true, 'te\xt	26
;''"--/*', 'v26', 'c26  ', '\x4e732ced3463d06de0ca9a15b6153677', '2024-01-02 02:01:31', '2024-01-27 00:00:00+00', '2024-01-27', '10:00:00', '4e732ced-3463-d06d-e0ca-9a15b6153677', '{"a": 26, "a":  2}', '{"a": 26, "b": 1}', '{26,NULL,27}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '26 days 52:00:00', DEFAULT),
	(27, 27, 3.8571428571428571, 40.50000, 9, 2.7, false, 'te\xt	27
;''"--/*', 'v27', 'c27  ', '\x02e74f10e0327ad868d138f2b4fdd6f0', '2024-01-02 03:01:34.5', '2024-01-28 00:00:00+00', '2024-01-28', '10:00:00', '02e74f10-e032-7ad8-68d1-38f2b4fdd6f0', '{"a": 27, "a":  2}', '{"a": 27, "b": 1}', '{27,NULL,28}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '27 days 54:00:00', DEFAULT),
	(28, 28, 4.0000000000000000, 42.00000, 9.333333, 2.8000000000000003, true, 'te\xt	28
;''"--/*', 'v28', 'c28  ', '\x33e75ff09dd601bbe69f351039152189', '2024-01-02 04:01:38', '2024-01-29 00:00:00+00', '2024-01-29', '10:00:00', '33e75ff0-9dd6-01bb-e69f-351039152189', '{"a": 28, "a":  2}', '{"a": 28, "b": 1}', '{28,NULL,29}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '28 days 56:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(29, 29, 4.1428571428571429, 43.50000, 9.666667, 2.9000000000000004, false, 'te\xt	29
;''"--/*', 'v29', 'c29  ', '\x6ea9ab1baa0efb9e19094440c317e21b', '2024-01-02 05:01:41.5', '2024-01-30 00:00:00+00', '2024-01-30', '10:00:00', '6ea9ab1b-aa0e-fb9e-1909-4440c317e21b', '{"a": 29, "a":  2}', '{"a": 29, "b": 1}', '{29,NULL,30}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '29 days 58:00:00', DEFAULT),
	(30, 30, 4.2857142857142857, 45.00000, 10, 3, true, 'te\xt	30
;''"--/*', 'v30', 'c30  ', '\x34173cb38f07f89ddbebc2ac9128303f', '2024-01-02 06:01:45', '2024-01-31 00:00:00+00', '2024-01-31', '10:00:00', '34173cb3-8f07-f89d-dbeb-c2ac9128303f', '{"a": 30, "a":  2}', '{"a": 30, "b": 1}', '{30,NULL,31}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '30 days 60:00:00', DEFAULT),
	(31, 31, 4.4285714285714286, 46.50000, 10.333333, 3.1, false, 'te\xt	31
;''"--/*', 'v31', 'c31  ', '\xc16a5320fa475530d9583c34fd356ef5', '2024-01-02 07:01:48.5', '2024-02-01 00:00:00+00', '2024-02-01', '10:00:00', 'c16a5320-fa47-5530-d958-3c34fd356ef5', '{"a": 31, "a":  2}', '{"a": 31, "b": 1}', '{31,NULL,32}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '31 days 62:00:00', DEFAULT),
	(32, 32, 4.5714285714285714, 48.00000, 10.666667, 3.2, true, 'te\xt	32
;''"--/*', 'v32', 'c32  ', '\x6364d3f0f495b6ab9dcf8d3b5c6e0b01', '2024-01-02 08:01:52', '2024-02-02 00:00:00+00', '2024-02-02', '10:00:00', '6364d3f0-f495-b6ab-9dcf-8d3b5c6e0b01', '{"a": 32, "a":  2}', '{"a": 32, "b": 1}', '{32,NULL,33}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '32 days 64:00:00', DEFAULT),
	(33, 33, 4.7142857142857143, 49.50000, 11, 3.3000000000000003, false, 'te\xt	33
;''"--/*', 'v33', 'c33  ', '\x182be0c5cdcd5072bb1864cdee4d3d6e', '2024-01-02 09:01:55.5', '2024-02-03 00:00:00+00', '2024-02-03', '10:00:00', '182be0c5-cdcd-5072-bb18-64cdee4d3d6e', '{"a": 33, "a":  2}', '{"a": 33, "b": 1}', '{33,NULL,34}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '33 days 66:00:00', DEFAULT),
	(34, 34, 4.8571428571428571, 51.00000, 11.333333, 3.4000000000000004, true, 'te\xt	34
;''"--/*', 'v34', 'c34  ', '\xe369853df766fa44e1ed0ff613f563bd', '2024-01-02 10:01:59', '2024-02-04 00:00:00+00', '2024-02-04', '10:00:00', 'e369853d-f766-fa44-e1ed-0ff613f563bd', '{"a": 34, "a":  2}', '{"a": 34, "b": 1}', '{34,NULL,35}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '34 days 68:00:00', DEFAULT),
	(35, 35, 5.0000000000000000, 52.50000, 11.666667, 3.5, false, 'te\xt	35
;''"--/*', 'v35', 'c35  ', '\x1c383cd30b7c298ab50293adfecb7b18', '2024-01-02 11:02:02.5', '2024-02-05 00:00:00+00', '2024-02-05', '10:00:00', '1c383cd3-0b7c-298a-b502-93adfecb7b18', '{"a": 35, "a":  2}', '{"a": 35, "b": 1}', '{35,NULL,36}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '35 days 70:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(36, 36, 5.1428571428571429, 54.00000, 12, 3.6, true, 'te\xt	36
;''"--/*', 'v36', 'c36  ', '\x19ca14e7ea6328a42e0eb13d585e4c22', '2024-01-02 12:02:06', '2024-02-06 00:00:00+00', '2024-02-06', '10:00:00', '19ca14e7-ea63-28a4-2e0e-b13d585e4c22', '{"a": 36, "a":  2}', '{"a": 36, "b": 1}', '{36,NULL,37}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '36 days 72:00:00', DEFAULT),
	(37, 37, 5.2857142857142857, 55.50000, 12.333333, 3.7, false, 'te\xt	37
;''"--/*', 'v37', 'c37  ', '\xa5bfc9e07964f8dddeb95fc584cd965d', '2024-01-02 13:02:09.5', '2024-02-07 00:00:00+00', '2024-02-07', '10:00:00', 'a5bfc9e0-7964-f8dd-deb9-5fc584cd965d', '{"a": 37, "a":  2}', '{"a": 37, "b": 1}', '{37,NULL,38}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '37 days 74:00:00', DEFAULT),
	(38, 38, 5.4285714285714286, 57.00000, 12.666667, 3.8000000000000003, true, 'te\xt	38
;''"--/*', 'v38', 'c38  ', '\xa5771bce93e200c36f7cd9dfd0e5deaa', '2024-01-02 14:02:13', '2024-02-08 00:00:00+00', '2024-02-08', '10:00:00', 'a5771bce-93e2-00c3-6f7c-d9dfd0e5deaa', '{"a": 38, "a":  2}', '{"a": 38, "b": 1}', '{38,NULL,39}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '38 days 76:00:00', DEFAULT),
	(39, 39, 5.5714285714285714, 58.50000, 13, 3.9000000000000004, false, 'te\xt	39
;''"--/*', 'v39', 'c39  ', '\xd67d8ab4f4c10bf22aa353e27879133c', '2024-01-02 15:02:16.5', '2024-02-09 00:00:00+00', '2024-02-09', '10:00:00', 'd67d8ab4-f4c1-0bf2-2aa3-53e27879133c', '{"a": 39, "a":  2}', '{"a": 39, "b": 1}', '{39,NULL,40}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '39 days 78:00:00', DEFAULT),
	(40, 40, 5.7142857142857143, 60.00000, 13.333333, 4, true, 'te\xt	40
;''"--/*', 'v40', 'c40  ', '\xd645920e395fedad7bbbed0eca3fe2e0', '2024-01-02 16:02:20', '2024-02-10 00:00:00+00', '2024-02-10', '10:00:00', 'd645920e-395f-edad-7bbb-ed0eca3fe2e0', '{"a": 40, "a":  2}', '{"a": 40, "b": 1}', '{40,NULL,41}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '40 days 80:00:00', DEFAULT),
	(41, 41, 5.8571428571428571, 61.50000, 13.666667, 4.1000000000000005, false, 'te\xt	41
;''"--/*', 'v41', 'c41  ', '\x3416a75f4cea9109507cacd8e2f2aefc', '2024-01-02 17:02:23.5', '2024-02-11 00:00:00+00', '2024-02-11', '10:00:00', '3416a75f-4cea-9109-507c-acd8e2f2aefc', '{"a": 41, "a":  2}', '{"a": 41, "b": 1}', '{41,NULL,42}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '41 days 82:00:00', DEFAULT),
	(42, 42, 6.0000000000000000, 63.00000, 14, 4.2, true, 'te\xt	42
;''"--/*', 'v42', 'c42  ', '\xa1d0c6e83f027327d8461063f4ac58a6', '2024-01-02 18:02:27', '2024-02-12 00:00:00+00', '2024-02-12', '10:00:00', 'a1d0c6e8-3f02-7327-d846-1063f4ac58a6', '{"a": 42, "a":  2}', '{"a": 42, "b": 1}', '{42,NULL,43}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '42 days 84:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(43, 43, 6.1428571428571429, 64.50000, 14.333333, 4.3, false, 'te\xt	43
;''"--/*', 'v43', 'c43  ', '\x17e62166fc8586dfa4d1bc0e1742c08b', '2024-01-02 19:02:30.5', '2024-02-13 00:00:00+00', '2024-02-13', '10:00:00', '17e62166-fc85-86df-a4d1-bc0e1742c08b', '{"a": 43, "a":  2}', '{"a": 43, "b": 1}', '{43,NULL,44}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '43 days 86:00:00', DEFAULT),
	(44, 44, 6.2857142857142857, 66.00000, 14.666667, 4.4, true, 'te\xt	44
;''"--/*', 'v44', 'c44  ', '\xf7177163c833dff4b38fc8d2872f1ec6', '2024-01-02 20:02:34', '2024-02-14 00:00:00+00', '2024-02-14', '10:00:00', 'f7177163-c833-dff4-b38f-c8d2872f1ec6', '{"a": 44, "a":  2}', '{"a": 44, "b": 1}', '{44,NULL,45}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '44 days 88:00:00', DEFAULT),
	(45, 45, 6.4285714285714286, 67.50000, 15, 4.5, false, 'te\xt	45
;''"--/*', 'v45', 'c45  ', '\x6c8349cc7260ae62e3b1396831a8398f', '2024-01-02 21:02:37.5', '2024-02-15 00:00:00+00', '2024-02-15', '10:00:00', '6c8349cc-7260-ae62-e3b1-396831a8398f', '{"a": 45, "a":  2}', '{"a": 45, "b": 1}', '{45,NULL,46}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '45 days 90:00:00', DEFAULT),
	(46, 46, 6.5714285714285714, 69.00000, 15.333333, 4.6000000000000005, true, 'te\xt	46
;''"--/*', 'v46', 'c46  ', '\xd9d4f495e875a2e075a1a4a6e1b9770f', '2024-01-02 22:02:41', '2024-02-16 00:00:00+00', '2024-02-16', '10:00:00', 'd9d4f495-e875-a2e0-75a1-a4a6e1b9770f', '{"a": 46, "a":  2}', '{"a": 46, "b": 1}', '{46,NULL,47}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '46 days 92:00:00', DEFAULT),
	(47, 47, 6.7142857142857143, 70.50000, 15.666667, 4.7, false, 'te\xt	47
;''"--/*', 'v47', 'c47  ', '\x67c6a1e7ce56d3d6fa748ab6d9af3fd7', '2024-01-02 23:02:44.5', '2024-02-17 00:00:00+00', '2024-02-17', '10:00:00', '67c6a1e7-ce56-d3d6-fa74-8ab6d9af3fd7', '{"a": 47, "a":  2}', '{"a": 47, "b": 1}', '{47,NULL,48}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '47 days 94:00:00', DEFAULT),
	(48, 48, 6.8571428571428571, 72.00000, 16, 4.800000000000001, true, 'te\xt	48
;''"--/*', 'v48', 'c48  ', '\x642e92efb79421734881b53e1e1b18b6', '2024-01-03 00:02:48', '2024-02-18 00:00:00+00', '2024-02-18', '10:00:00', '642e92ef-b794-2173-4881-b53e1e1b18b6', '{"a": 48, "a":  2}', '{"a": 48, "b": 1}', '{48,NULL,49}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '48 days 96:00:00', DEFAULT),
	(49, 49, 7.0000000000000000, 73.50000, 16.333334, 4.9, false, 'te\xt	49
;''"--/*', 'v49', 'c49  ', '\xf457c545a9ded88f18ecee47145a72c0', '2024-01-03 01:02:51.5', '2024-02-19 00:00:00+00', '2024-02-19', '10:00:00', 'f457c545-a9de-d88f-18ec-ee47145a72c0', '{"a": 49, "a":  2}', '{"a": 49, "b": 1}', '{49,NULL,50}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '49 days 98:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(50, 50, 7.1428571428571429, 75.00000, 16.666666, 5, true, 'te\xt	50
;''"--/*', 'v50', 'c50  ', '\xc0c7c76d30bd3dcaefc96f40275bdc0a', '2024-01-03 02:02:55', '2024-02-20 00:00:00+00', '2024-02-20', '10:00:00', 'c0c7c76d-30bd-3dca-efc9-6f40275bdc0a', '{"a": 50, "a":  2}', '{"a": 50, "b": 1}', '{50,NULL,51}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '50 days 100:00:00', DEFAULT),
	(51, 51, 7.2857142857142857, 76.50000, 17, 5.1000000000000005, false, 'te\xt	51
;''"--/*', 'v51', 'c51  ', '\x2838023a778dfaecdc212708f721b788', '2024-01-03 03:02:58.5', '2024-02-21 00:00:00+00', '2024-02-21', '10:00:00', '2838023a-778d-faec-dc21-2708f721b788', '{"a": 51, "a":  2}', '{"a": 51, "b": 1}', '{51,NULL,52}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '51 days 102:00:00', DEFAULT),
	(52, 52, 7.4285714285714286, 78.00000, 17.333334, 5.2, true, 'te\xt	52
;''"--/*', 'v52', 'c52  ', '\x9a1158154dfa42caddbd0694a4e9bdc8', '2024-01-03 04:03:02', '2024-02-22 00:00:00+00', '2024-02-22', '10:00:00', '9a115815-4dfa-42ca-ddbd-0694a4e9bdc8', '{"a": 52, "a":  2}', '{"a": 52, "b": 1}', '{52,NULL,53}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '52 days 104:00:00', DEFAULT),
	(53, 53, 7.5714285714285714, 79.50000, 17.666666, 5.300000000000001, false, 'te\xt	53
;''"--/*', 'v53', 'c53  ', '\xd82c8d1619ad8176d665453cfb2e55f0', '2024-01-03 05:03:05.5', '2024-02-23 00:00:00+00', '2024-02-23', '10:00:00', 'd82c8d16-19ad-8176-d665-453cfb2e55f0', '{"a": 53, "a":  2}', '{"a": 53, "b": 1}', '{53,NULL,54}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '53 days 106:00:00', DEFAULT),
	(54, 54, 7.7142857142857143, 81.00000, 18, 5.4, true, 'te\xt	54
;''"--/*', 'v54', 'c54  ', '\xa684eceee76fc522773286a895bc8436', '2024-01-03 06:03:09', '2024-02-24 00:00:00+00', '2024-02-24', '10:00:00', 'a684ecee-e76f-c522-7732-86a895bc8436', '{"a": 54, "a":  2}', '{"a": 54, "b": 1}', '{54,NULL,55}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '54 days 108:00:00', DEFAULT),
	(55, 55, 7.8571428571428571, 82.50000, 18.333334, 5.5, false, 'te\xt	55
;''"--/*', 'v55', 'c55  ', '\xb53b3a3d6ab90ce0268229151c9bde11', '2024-01-03 07:03:12.5', '2024-02-25 00:00:00+00', '2024-02-25', '10:00:00', 'b53b3a3d-6ab9-0ce0-2682-29151c9bde11', '{"a": 55, "a":  2}', '{"a": 55, "b": 1}', '{55,NULL,56}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '55 days 110:00:00', DEFAULT),
	(56, 56, 8.0000000000000000, 84.00000, 18.666666, 5.6000000000000005, true, 'te\xt	56
;''"--/*', 'v56', 'c56  ', '\x9f61408e3afb633e50cdf1b20de6f466', '2024-01-03 08:03:16', '2024-02-26 00:00:00+00', '2024-02-26', '10:00:00', '9f61408e-3afb-633e-50cd-f1b20de6f466', '{"a": 56, "a":  2}', '{"a": 56, "b": 1}', '{56,NULL,57}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '56 days 112:00:00', DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(57, 57, 8.1428571428571429, 85.50000, 19, 5.7, false, 'te\xt	57
;''"--/*', 'v57', 'c57  ', '\x72b32a1f754ba1c09b3695e0cb6cde7f', '2024-01-03 09:03:19.5', '2024-02-27 00:00:00+00', '2024-02-27', '10:00:00', '72b32a1f-754b-a1c0-9b36-95e0cb6cde7f', '{"a": 57, "a":  2}', '{"a": 57, "b": 1}', '{57,NULL,58}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '57 days 114:00:00', DEFAULT),
	(58, 58, 8.2857142857142857, 87.00000, 19.333334, 5.800000000000001, true, 'te\xt	58
;''"--/*', 'v58', 'c58  ', '\x66f041e16a60928b05a7e228a89c3799', '2024-01-03 10:03:23', '2024-02-28 00:00:00+00', '2024-02-28', '10:00:00', '66f041e1-6a60-928b-05a7-e228a89c3799', '{"a": 58, "a":  2}', '{"a": 58, "b": 1}', '{58,NULL,59}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '58 days 116:00:00', DEFAULT),
	(59, 59, 8.4285714285714286, 88.50000, 19.666666, 5.9, false, 'te\xt	59
;''"--/*', 'v59', 'c59  ', '\x093f65e080a295f8076b1c5722a46aa2', '2024-01-03 11:03:26.5', '2024-02-29 00:00:00+00', '2024-02-29', '10:00:00', '093f65e0-80a2-95f8-076b-1c5722a46aa2', '{"a": 59, "a":  2}', '{"a": 59, "b": 1}', '{59,NULL,60}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '59 days 118:00:00', DEFAULT),
	(60, 60, 8.5714285714285714, 90.00000, 20, 6, true, 'te\xt	60
;''"--/*', 'v60', 'c60  ', '\x072b030ba126b2f4b2374f342be9ed44', '2024-01-03 12:03:30', '2024-03-01 00:00:00+00', '2024-03-01', '10:00:00', '072b030b-a126-b2f4-b237-4f342be9ed44', '{"a": 60, "a":  2}', '{"a": 60, "b": 1}', '{60,NULL,61}', '{"a,b\"c\\",NULL,"","NULL"}', 'it''s; "fine"', '10.0.0.1', B'10101', '60 days 120:00:00', DEFAULT),
	(61, NULL, 'NaN', NULL, 'NaN', 'Infinity', NULL, NULL, 'a;''b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT),
	(62, NULL, 'Infinity', NULL, '-Infinity', -0, NULL, NULL, 'a;''b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT),
	(63, NULL, 1000000000000000000000000000000, NULL, 1e-30, 1e+300, NULL, NULL, 'a;''b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT) ON CONFLICT DO NOTHING;
INSERT INTO public.kinds OVERRIDING SYSTEM VALUE VALUES
	(64, NULL, 0.000, NULL, 1.1754944e-38, 2.2250738585072014e-308, NULL, NULL, 'a;''b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT),
	(65, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'a;''b', NULL, NULL, '0044-03-15 01:02:03.000004 BC', '12000-01-01 00:00:00+00', '4713-01-01 BC', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT),
	(66, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'a;''b', NULL, NULL, 'infinity', '-infinity', '-infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, DEFAULT) ON CONFLICT DO NOTHING;


--
-- Data for Name: meas1; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.meas1 VALUES
	(1, '2024-01-10', 0.14285714285714285),
	(2, '2024-01-19', 0.2857142857142857),
	(3, '2024-01-28', 0.42857142857142855),
	(4, '2024-02-06', 0.5714285714285714),
	(5, '2024-02-15', 0.7142857142857143),
	(6, '2024-02-24', 0.8571428571428571),
	(7, '2024-03-04', 1) ON CONFLICT DO NOTHING;
INSERT INTO public.meas1 VALUES
	(8, '2024-03-13', 1.1428571428571428),
	(9, '2024-03-22', 1.2857142857142858),
	(10, '2024-03-31', 1.4285714285714286),
	(11, '2024-04-09', 1.5714285714285714),
	(12, '2024-04-18', 1.7142857142857142),
	(13, '2024-04-27', 1.8571428571428572),
	(14, '2024-05-06', 2) ON CONFLICT DO NOTHING;
INSERT INTO public.meas1 VALUES
	(15, '2024-05-15', 2.142857142857143),
	(16, '2024-05-24', 2.2857142857142856) ON CONFLICT DO NOTHING;


--
-- Data for Name: meas2; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.meas2 VALUES
	(17, '2024-06-02', 2.4285714285714284),
	(18, '2024-06-11', 2.5714285714285716),
	(19, '2024-06-20', 2.7142857142857144),
	(20, '2024-06-29', 2.857142857142857),
	(21, '2024-07-08', 3),
	(22, '2024-07-17', 3.142857142857143),
	(23, '2024-07-26', 3.2857142857142856) ON CONFLICT DO NOTHING;
INSERT INTO public.meas2 VALUES
	(24, '2024-08-04', 3.4285714285714284),
	(25, '2024-08-13', 3.5714285714285716),
	(26, '2024-08-22', 3.7142857142857144),
	(27, '2024-08-31', 3.857142857142857),
	(28, '2024-09-09', 4),
	(29, '2024-09-18', 4.142857142857143),
	(30, '2024-09-27', 4.285714285714286) ON CONFLICT DO NOTHING;


--
-- Data for Name: parent; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.parent VALUES
	(1, 'p') ON CONFLICT DO NOTHING;


--
-- Data for Name: typed; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.typed VALUES
	(1, 'x') ON CONFLICT DO NOTHING;


--
-- Data for Name: unl; Type: TABLE DATA; Schema: public; Owner: postgres
--

INSERT INTO public.unl VALUES
	('c4ca4238-a0b9-2382-0dcc-509a6f75849b', 'e', 'p'),
	('c81e728d-9d4c-2f63-6f06-7f89cc14862c', 'e', 'p'),
	('eccbc87e-4b5c-e2fe-2830-8fd9f2a7baf3', 'e', 'p'),
	('a87ff679-a2f3-e71d-9181-a67b7542122c', 'e', 'p'),
	('e4da3b7f-bbce-2345-d777-2b0674a318d5', 'e', 'p') ON CONFLICT DO NOTHING;


--
-- Data for Name: Ta"b;le -- x; Type: TABLE DATA; Schema: we.ird; Owner: postgres
--

INSERT INTO "we.ird"."Ta""b;le -- x" VALUES
	('k1', '\.
1', 'INSERT INTO x VALUES (1);', 1),
	('k2', '\.
2', 'INSERT INTO x VALUES (1);', 2),
	('k3', '\.
3', 'INSERT INTO x VALUES (1);', 3),
	('k4', '\.
4', 'INSERT INTO x VALUES (1);', 4),
	('k5', '\.
5', 'INSERT INTO x VALUES (1);', 5),
	('k6', '\.
6', 'INSERT INTO x VALUES (1);', 6),
	('k7', '\.
7', 'INSERT INTO x VALUES (1);', 7) ON CONFLICT DO NOTHING;
INSERT INTO "we.ird"."Ta""b;le -- x" VALUES
	('k8', '\.
8', 'INSERT INTO x VALUES (1);', 8),
	('k9', '\.
9', 'INSERT INTO x VALUES (1);', 9),
	('k10', '\.
10', 'INSERT INTO x VALUES (1);', 10),
	('k11', '\.
11', 'INSERT INTO x VALUES (1);', 11),
	('k12', '\.
12', 'INSERT INTO x VALUES (1);', 12),
	('k13', '\.
13', 'INSERT INTO x VALUES (1);', 13),
	('k14', '\.
14', 'INSERT INTO x VALUES (1);', 14) ON CONFLICT DO NOTHING;
INSERT INTO "we.ird"."Ta""b;le -- x" VALUES
	('k15', '\.
15', 'INSERT INTO x VALUES (1);', 15),
	('k16', '\.
16', 'INSERT INTO x VALUES (1);', 16),
	('k17', '\.
17', 'INSERT INTO x VALUES (1);', 17),
	('k18', '\.
18', 'INSERT INTO x VALUES (1);', 18),
	('k19', '\.
19', 'INSERT INTO x VALUES (1);', 19),
	('k20', '\.
20', 'INSERT INTO x VALUES (1);', 20),
	('\.', '\N', '\.
\.
', 1) ON CONFLICT DO NOTHING;
INSERT INTO "we.ird"."Ta""b;le -- x" VALUES
	('', '', '', NULL),
	('
', '	', 'ab', 2) ON CONFLICT DO NOTHING;


--
-- Name: kinds_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.kinds_id_seq', 66, true);


--
-- Name: sq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.sq', 1, true);


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('16592', 131072);
SELECT pg_catalog.lowrite(0, '\x6c617267653b206f626a656374');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: child child_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.child
    ADD CONSTRAINT child_pkey PRIMARY KEY (id);


--
-- Name: empty_table empty_table_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.empty_table
    ADD CONSTRAINT empty_table_pkey PRIMARY KEY (id);


--
-- Name: kinds kinds_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT kinds_pkey PRIMARY KEY (id);


--
-- Name: meas meas_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.meas
    ADD CONSTRAINT meas_pkey PRIMARY KEY (city, day);


--
-- Name: meas1 meas1_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.meas1
    ADD CONSTRAINT meas1_pkey PRIMARY KEY (city, day);


--
-- Name: meas2 meas2_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.meas2
    ADD CONSTRAINT meas2_pkey PRIMARY KEY (city, day);


--
-- Name: parent parent_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.parent
    ADD CONSTRAINT parent_pkey PRIMARY KEY (id);


--
-- Name: typed typed_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.typed
    ADD CONSTRAINT typed_pkey PRIMARY KEY (a);


--
-- Name: unl unl_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.unl
    ADD CONSTRAINT unl_pkey PRIMARY KEY (id);


--
-- Name: Ta"b;le -- x Ta"b;le -- x_pkey; Type: CONSTRAINT; Schema: we.ird; Owner: postgres
--

ALTER TABLE ONLY "we.ird"."Ta""b;le -- x"
    ADD CONSTRAINT "Ta""b;le -- x_pkey" PRIMARY KEY ("K 2", "k;1");


--
-- Name: meas1_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.meas_pkey ATTACH PARTITION public.meas1_pkey;


--
-- Name: meas2_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.meas_pkey ATTACH PARTITION public.meas2_pkey;


--
-- Name: unl r1; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE r1 AS
    ON DELETE TO public.unl DO INSTEAD ( SELECT 1 AS "?column?";
 SELECT 2 AS "?column?";
);


--
-- Name: mv; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.mv;


--
-- PostgreSQL database dump complete
--

\unrestrict mU1TjfPK3VbsIphXPBykfzHN8s7pPtV65V0b8lcUHLhZEcJWb6wxbrIAPPua21I

