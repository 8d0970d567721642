//! The shapes, in the edition 2024.

#[path = "../shapes/mod.rs"]
mod shapes;
