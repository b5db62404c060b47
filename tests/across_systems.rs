//! One table as several systems dump it compares as one table, and one changed row is the only difference.

mod common;

use std::fs;
use std::path::Path;

use common::mdiff;
use serde_json::Value;

/// The same four rows, each as its system spells them; `note` is the text of one of them.
fn write(folder: &Path, note: &str) {
    let file = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    file(
        "pg.sql",
        format!(
            "--\n-- PostgreSQL database dump\n--\n\n\
             CREATE TABLE public.accounts (\n    id bigint NOT NULL,\n    amount numeric(12,2),\n    name text,\n    rate double precision,\n    since date\n);\n\n\
             COPY public.accounts (id, amount, name, rate, since) FROM stdin;\n\
             10\t1.50\tzulu\t1e+20\t2024-01-02\n-2\t\\N\t{note}\t0.1\t2024-02-29\n7\t300.00\ttab\\there\t-3\t\\N\n1\t0.00\t\t2.5\t1999-12-31\n\\.\n\n\
             ALTER TABLE ONLY public.accounts\n    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);\n\n\
             --\n-- PostgreSQL database dump complete\n--\n"
        ),
    );
    file(
        "my.sql",
        format!(
            "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n\
             CREATE TABLE `accounts` (\n  `id` bigint(20) NOT NULL,\n  `since` date DEFAULT NULL,\n  `name` text DEFAULT NULL,\n  `rate` double DEFAULT NULL,\n  `amount` decimal(10,1) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\
             INSERT INTO `accounts` VALUES\n(-2,'2024-02-29','{note}',0.1,NULL),\n(1,'1999-12-31','',2.5,0.0),\n(7,NULL,'tab\\there',-3,300.0),\n(10,'2024-01-02','zulu',1e20,1.5);\n\
             -- Dump completed on 2024-03-01  0:00:00\n"
        ),
    );
    file(
        "rows.csv",
        format!(
            "id,amount,name,rate,since\n-2,NULL,{note},0.1,2024-02-29\n1,0,,2.5,1999-12-31\n10,1.5,zulu,100000000000000000000,2024-01-02\n7,300,tab\there,-3,NULL\n"
        ),
    );
    file(
        "rows.jsonl",
        format!(
            "{{\"since\":null,\"id\":7,\"amount\":3e2,\"name\":\"tab\\there\",\"rate\":-3.0}}\n\
             {{\"id\":-2,\"amount\":null,\"name\":\"{note}\",\"rate\":0.10,\"since\":\"2024-02-29\"}}\n\
             {{\"id\":1,\"amount\":0.0,\"name\":\"\",\"rate\":2.5,\"since\":\"1999-12-31\"}}\n\
             {{\"id\":10,\"amount\":1.50,\"name\":\"zulu\",\"rate\":1E20,\"since\":\"2024-01-02\"}}\n"
        ),
    );
}

const FILES: [&str; 4] = ["pg.sql", "my.sql", "rows.csv", "rows.jsonl"];

fn sides(left: &str, right: &str) -> Vec<String> {
    let mut args = vec![
        left.to_owned(),
        right.to_owned(),
        "--no-progress".to_owned(),
    ];
    args.extend(["--key", "id", "--null", "NULL"].map(str::to_owned));
    args.extend(["--columns", "amount,name,rate,since"].map(str::to_owned));
    if left.ends_with(".sql") && right.ends_with(".sql") {
        let name = |file: &str| {
            if file.starts_with("pg") || file.contains("/pg") {
                "public.accounts"
            } else {
                "accounts"
            }
        };
        args.push(format!("--same-table={}={}", name(left), name(right)));
    }
    args
}

#[test]
fn equal_rows_of_two_systems_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a note");
    for left in FILES {
        for right in FILES {
            mdiff(["compare"])
                .args(sides(left, right))
                .in_dir(folder.path())
                .run()
                .exits(0)
                .prints("same rows");
        }
    }
}

#[test]
fn one_changed_row_is_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a note");
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    write(&other, "another note");
    for left in FILES {
        for right in FILES {
            let ran = mdiff(["diff", "--json"])
                .args(sides(left, &format!("other/{right}")))
                .in_dir(folder.path())
                .run()
                .exits(1);
            let lines: Vec<Value> = ran
                .stdout
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            let [line] = lines.as_slice() else {
                panic!("{left} {right}: {}", ran.stdout);
            };
            assert_eq!(line["key"]["id"], "-2");
            assert_eq!(line["left"]["name"], "a note");
            assert_eq!(line["right"]["name"], "another note");
        }
    }
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a note");
    let compare = |names: &str| {
        mdiff(["compare", "pg.sql", "my.sql", "--same-table", names])
            .in_dir(folder.path())
            .run()
            .exits(2)
    };
    compare("accounts").tells("does not name one table for each of 2 sides");
    compare("public.accounts=x").tells("there is no table \"x\"");
    mdiff(["cat", "pg.sql", "--same-table", "a=b"])
        .in_dir(folder.path())
        .run()
        .exits(2)
        .tells("two sides and more");
}
