//! Dumps of PostgreSQL: real ones in every format against the rows that the server says they hold, damaged ones, and patches run by
//! psql on a real server where one is installed.

mod common;
#[path = "postgres/damage.rs"]
mod damage;
#[path = "postgres/fixtures.rs"]
mod fixtures;
#[path = "postgres/model.rs"]
mod model;
#[path = "common/pg_server.rs"]
mod pg_server;
#[path = "postgres/server.rs"]
mod server;
#[path = "postgres/wrong_use.rs"]
mod wrong_use;
