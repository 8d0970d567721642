//! The shapes, in the edition 2018.

#[path = "../shapes/mod.rs"]
mod shapes;
