//! Dumps to read: one table of rows of mixed types, as each system writes them, from a seed.

use std::fs;
use std::io::Write;
use std::path::Path;

use mdiff::file::replace::AtomicFile;

use crate::common::{Random, hex};
use crate::data::Data;
use crate::pg_server;
use crate::table::missing;

/// In which order a dump has its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By their key.
    Key,
    /// In none, the same at every run.
    Shuffled,
}

impl Order {
    fn ids(self, rows: u64) -> Box<dyn Iterator<Item = u64>> {
        let ids = FIRST_ID..FIRST_ID + rows;
        match self {
            Order::Key => Box::new(ids),
            Order::Shuffled => {
                let mut ids: Vec<u64> = ids.collect();
                let mut random = Random::new(rows, 6);
                for last in (1..ids.len()).rev() {
                    ids.swap(last, (random.bits() % (last as u64 + 1)) as usize);
                }
                Box::new(ids.into_iter())
            }
        }
    }
}

/// Keys are compared as text, and all of them have as many digits: so they ascend as numbers and as text.
const FIRST_ID: u64 = 1_000_000_000;

/// Rows of every dump.
pub fn rows(data: &Data) -> u64 {
    1_100_000 / data.divisor()
}

/// Rows of [`large`].
pub fn large_rows(data: &Data) -> u64 {
    8 * rows(data)
}

/// What the columns of a row hold, before a system has its way with them.
struct Facts {
    id: u64,
    name: String,
    city: String,
    mail: String,
    cents: u64,
    /// Date and time with microseconds.
    made_at: String,
    is_open: bool,
    score: f64,
    /// In one row of sixteen there is none; some hold line ends, tabs and quotes, some letters beyond ASCII.
    note: Option<String>,
    data: u128,
}

impl Facts {
    fn of(id: u64) -> Facts {
        let mut random = Random::new(id, 7);
        let mut two = |between: &str| format!("{}{between}{}", random.word(), random.word());
        let (name, city, mail) = (two(" "), two(" "), two("."));
        let mut below = |most: u64| random.bits() % most;
        let date = [2015 + below(10), 1 + below(12), 1 + below(28)];
        // No zero at the end: PostgreSQL would not print it.
        let micros = 10 * below(100_000) + 1 + below(9);
        let time = [below(24), below(60), below(60), micros];
        let (cents, is_open) = (below(10_000_000), below(3) > 0);
        let score = below(1 << 20) as f64 / 64.0;
        let (kind, words) = (below(16), 6 + below(12));
        let note = (kind > 0).then(|| {
            let mut note = String::from(match kind {
                1 => "it's \"so\":\n\t- ",
                2 | 3 => "na\u{ef}ve caf\u{e9} \u{6771}\u{4eac} ",
                _ => "",
            });
            for _ in 0..words {
                note.push_str(random.word());
                note.push(' ');
            }
            note.extend(hex(random.bits()).map(char::from));
            note
        });
        let [year, month, day] = date;
        let [hour, minute, second, micros] = time;
        Facts {
            id,
            name,
            city,
            mail: format!("{mail}@example.org"),
            cents,
            made_at: format!(
                "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}"
            ),
            is_open,
            score,
            note,
            data: (u128::from(random.bits()) << 64) | u128::from(random.bits()),
        }
    }

    fn amount(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

/// Writes a file under its name only once it is whole.
fn write(path: &Path, fill: impl FnOnce(&mut AtomicFile) -> std::io::Result<()>) {
    let mut file = AtomicFile::create(path, true).expect("a dump can be made");
    fill(&mut file).expect("a dump can be written");
    file.commit().expect("a dump can be written");
}

const POSTGRES_HEAD: &str = "--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: made; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.made (
    id bigint NOT NULL,
    name text NOT NULL,
    city character varying(40) NOT NULL,
    mail text NOT NULL,
    amount numeric(12,2) NOT NULL,
    made_at timestamp with time zone NOT NULL,
    is_open boolean NOT NULL,
    score double precision NOT NULL,
    note text,
    data bytea NOT NULL
);


--
-- Data for Name: made; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.made (id, name, city, mail, amount, made_at, is_open, score, note, data) FROM stdin;
";

const POSTGRES_FOOT: &str = r"\.


--
-- Name: made made_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.made
    ADD CONSTRAINT made_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

";

/// Lines before the rows of a plain dump of PostgreSQL.
pub fn postgres_head_lines() -> usize {
    POSTGRES_HEAD.lines().count()
}

/// A plain dump of PostgreSQL.
pub fn postgres(data: &Data, order: Order) -> String {
    let name = match order {
        Order::Key => "dump-postgres.sql",
        Order::Shuffled => "dump-postgres-shuffled.sql",
    };
    postgres_of(data, name, order.ids(rows(data)))
}

/// One of 2 GB, shuffled.
pub fn large(data: &Data) -> String {
    let ids = Order::Shuffled.ids(large_rows(data));
    postgres_of(data, "dump-postgres-large.sql", ids)
}

fn postgres_of(data: &Data, name: &str, ids: impl Iterator<Item = u64>) -> String {
    data.make(name, |path| {
        write(path, |out| {
            out.write_all(POSTGRES_HEAD.as_bytes())?;
            for facts in ids.map(Facts::of) {
                let amount = facts.amount();
                let is_open = if facts.is_open { 't' } else { 'f' };
                let note = facts.note.as_ref().map_or(r"\N".into(), |note| {
                    note.replace('\\', r"\\")
                        .replace('\n', r"\n")
                        .replace('\t', r"\t")
                });
                let Facts {
                    id,
                    name,
                    city,
                    mail,
                    made_at,
                    score,
                    data,
                    ..
                } = facts;
                writeln!(
                    out,
                    "{id}\t{name}\t{city}\t{mail}\t{amount}\t{made_at}+00\t{is_open}\t{score}\t{note}\t\\\\x{data:032x}"
                )?;
            }
            out.write_all(POSTGRES_FOOT.as_bytes())
        });
    })
}

/// The custom archive that pg_dump makes of the plain dump in the order of its key, read into a server for that; or why there is none.
pub fn postgres_custom(data: &Data) -> Result<String, String> {
    let name = "dump-postgres.custom";
    if !Path::new(&data.path(name)).exists() {
        let plain = postgres(data, Order::Key);
        let server = pg_server::Server::start()
            .ok_or_else(|| missing("a PostgreSQL server", "Debian: postgresql"))?;
        data.make(name, |path| {
            server.run("createdb", &["made"]);
            server.sql("made", plain.as_ref());
            let made = server.dump("made", name, &["-Fc"]);
            let partial = path.with_extension("partial");
            fs::copy(made, &partial).expect("an archive can be copied");
            fs::rename(partial, path).expect("an archive can be renamed");
        });
    }
    Ok(data.path(name))
}

const MYSQL_HEAD: &str = "-- MySQL dump 10.13  Distrib 8.0.40, for Linux (x86_64)
--
-- Host: localhost    Database: made
-- ------------------------------------------------------
-- Server version\t8.0.40

/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;

DROP TABLE IF EXISTS `made`;
CREATE TABLE `made` (
  `id` bigint NOT NULL,
  `name` varchar(80) NOT NULL,
  `city` varchar(40) NOT NULL,
  `mail` varchar(120) NOT NULL,
  `amount` decimal(12,2) NOT NULL,
  `made_at` datetime(6) NOT NULL,
  `is_open` tinyint(1) NOT NULL,
  `score` double NOT NULL,
  `note` text,
  `data` binary(16) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

LOCK TABLES `made` WRITE;
/*!40000 ALTER TABLE `made` DISABLE KEYS */;
";

const MYSQL_FOOT: &str = "/*!40000 ALTER TABLE `made` ENABLE KEYS */;
UNLOCK TABLES;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;

-- Dump completed on 2025-01-01  0:00:00
";

/// As long as mysqldump lets a statement grow.
const STATEMENT_BYTES: usize = 1 << 20;

/// A dump of mysqldump `--hex-blob`, by the key.
pub fn mysql(data: &Data) -> String {
    data.make("dump-mysql.sql", |path| {
        write(path, |out| {
            out.write_all(MYSQL_HEAD.as_bytes())?;
            let mut statement = String::new();
            for facts in Order::Key.ids(rows(data)).map(Facts::of) {
                let amount = facts.amount();
                let is_open = u8::from(facts.is_open);
                let note = facts.note.as_ref().map_or("NULL".into(), |note| {
                    let note = note
                        .replace('\\', r"\\")
                        .replace('\n', r"\n")
                        .replace('\'', r"\'")
                        .replace('"', "\\\"");
                    format!("'{note}'")
                });
                let Facts {
                    id,
                    name,
                    city,
                    mail,
                    made_at,
                    score,
                    data,
                    ..
                } = facts;
                let row = format!(
                    "({id},'{name}','{city}','{mail}',{amount},'{made_at}',{is_open},{score},{note},0x{data:032x})"
                );
                if statement.len() + row.len() > STATEMENT_BYTES {
                    writeln!(out, "{statement};")?;
                    statement.clear();
                }
                statement.push_str(match statement.is_empty() {
                    true => "INSERT INTO `made` VALUES ",
                    false => ",",
                });
                statement.push_str(&row);
            }
            writeln!(out, "{statement};")?;
            out.write_all(MYSQL_FOOT.as_bytes())
        });
    })
}

/// JSON lines, by the key.
pub fn json_lines(data: &Data) -> String {
    data.make("dump.jsonl", |path| {
        write(path, |out| {
            for facts in Order::Key.ids(rows(data)).map(Facts::of) {
                let amount = facts.amount();
                let note = serde_json::to_string(&facts.note)?;
                let Facts {
                    id,
                    name,
                    city,
                    mail,
                    made_at,
                    is_open,
                    score,
                    data,
                    ..
                } = facts;
                writeln!(
                    out,
                    r#"{{"id":{id},"name":"{name}","city":"{city}","mail":"{mail}","amount":{amount},"made_at":"{made_at}","is_open":{is_open},"score":{score},"note":{note},"data":"{data:032x}"}}"#
                )?;
            }
            Ok(())
        });
    })
}

/// A database of SQLite.
pub fn sqlite(data: &Data) -> String {
    data.make("dump.db", |path| {
        let partial = path.with_extension("partial");
        // What a run left that was stopped.
        let _ = fs::remove_file(&partial);
        fill_sqlite(&partial, rows(data)).expect("a database can be made");
        fs::rename(partial, path).expect("a database can be renamed");
    })
}

fn fill_sqlite(path: &Path, rows: u64) -> rusqlite::Result<()> {
    let database = rusqlite::Connection::open(path)?;
    database.execute_batch(
        "PRAGMA journal_mode = off; PRAGMA synchronous = off; BEGIN;
        CREATE TABLE made (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, mail TEXT NOT NULL, amount NUMERIC NOT NULL,
            made_at TEXT NOT NULL, is_open BOOLEAN NOT NULL, score REAL NOT NULL, note TEXT, data BLOB NOT NULL);",
    )?;
    let mut insert =
        database.prepare("INSERT INTO made VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    for facts in Order::Key.ids(rows).map(Facts::of) {
        insert.execute(rusqlite::params![
            facts.id as i64,
            facts.name,
            facts.city,
            facts.mail,
            facts.cents as f64 / 100.0,
            facts.made_at,
            facts.is_open,
            facts.score,
            facts.note,
            facts.data.to_be_bytes(),
        ])?;
    }
    drop(insert);
    database.execute_batch("COMMIT")
}
