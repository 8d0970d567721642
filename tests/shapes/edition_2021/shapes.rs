//! The shapes, in the edition 2021.

#[path = "../shapes/mod.rs"]
mod shapes;
