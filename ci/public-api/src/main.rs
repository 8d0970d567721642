//! Lists the public items of crates, from what rustdoc says of them in JSON.

use std::env;
use std::error::Error;

use public_api::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    for json in env::args().skip(1) {
        let items = Builder::from_rustdoc_json(json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .build()?;
        println!("{items}");
    }
    Ok(())
}
