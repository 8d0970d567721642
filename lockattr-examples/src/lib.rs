//! What the whole programs in `src/bin/` share. It also has the code blocks of the READMEs and the guide run as
//! tests.

mod code_blocks;
mod fragile;

pub use fragile::{Fragile, Inside};
