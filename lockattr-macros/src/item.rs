//! What the attribute stands on.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::Result;

use crate::block::{starts_impl, Block};
use crate::function::Function;

pub(crate) enum Item {
    Function(Function),
    Block(Block),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if starts_impl(input) {
            input.parse().map(Self::Block)
        } else {
            input.parse().map(Self::Function)
        }
    }
}

impl Item {
    /// The item as if it had no attribute, so that after a mistake its callers still find it.
    pub(crate) fn stub(&self) -> TokenStream {
        match self {
            Self::Function(function) => function.to_token_stream(),
            Self::Block(block) => block.stub(),
        }
    }
}
