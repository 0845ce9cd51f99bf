//! Private database servers for tests: real, on loopback and free ports, with their data in temporary folders, gone with
//! the value that stands for them.

mod galera;
mod mariadb;

pub use self::{
    galera::Galera,
    mariadb::{DATABASE, Mariadb, MariadbError, PASSWORD, USER},
};
