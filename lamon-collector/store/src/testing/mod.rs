//! Private database servers for tests: real, on loopback and free ports, with their data in temporary folders, gone with
//! the value that stands for them.

mod error;
mod galera;
mod install;
mod mariadb;

pub use self::{
    error::MariadbError,
    galera::Galera,
    mariadb::{DATABASE, Mariadb, PASSWORD, USER},
};
