//! The outermost package: JSON API, pages and the commands of the program `yijia`.
//!
//! A handler parses, calls one command or query of package `store`, and answers. Start reading at
//! [`router::build`] for the service and at [`cli::run`] for the commands.

pub mod access;
pub mod cli;
pub mod demo;
pub mod extract;
mod health;
mod pages;
pub mod problem;
pub mod rest;
pub mod router;
pub mod settings;
pub mod spreadsheet;
pub mod state;
pub mod telemetry;
