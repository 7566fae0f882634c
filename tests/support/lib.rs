//! Support of the tests: databases, served cities, and the walk through the whole system.

pub mod city;
pub mod clock;
pub mod command;
pub mod db;
pub mod desk;
pub mod http;
pub mod market;
pub mod phone;
pub mod sandbox;
pub mod served;
pub mod walk;
