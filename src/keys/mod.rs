//! Which keys serve, for which apps: handed over, from the full CLI's configuration, from the Control API or typed.

pub mod cli_config;
pub mod control_api;
pub mod control_base;
pub mod credentials;
pub mod names;
pub mod select;
mod several;
pub mod shapes;
pub mod sources;
mod toml_table;
