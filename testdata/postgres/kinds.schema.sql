--
-- PostgreSQL database dump
--

\restrict m9ZoHb8EAoJINXtQ7CaU9BI9jSPcZv70hX3gQsBPaoQPru8K1mNABfbgYdsNgMw

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

SET default_tablespace = '';

SET default_table_access_method = heap;

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
-- Name: kinds kinds_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT kinds_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict m9ZoHb8EAoJINXtQ7CaU9BI9jSPcZv70hX3gQsBPaoQPru8K1mNABfbgYdsNgMw

