//! `#[cfg_attr(predicate, interprocess_lock(…))]` on a method of a block: with the predicate the method has
//! an attribute of its own, and without it the block's. Both come out, under opposite `#[cfg]`s.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::Attribute;

use crate::block::is_ours;

/// The attributes in each case, where a `cfg_attr` has one of ours; else the attributes as they are.
///
/// ```text
/// // Input:
/// #[doc = "Reads."] #[cfg_attr(test, inline, interprocess_lock(skip))]
///
/// // Output:
/// #[cfg(test)] #[doc = "Reads."] #[inline] #[interprocess_lock(skip)]
/// #[cfg(not(test))] #[doc = "Reads."]
/// ```
pub(crate) fn cases(attrs: Vec<Attribute>) -> Vec<Vec<Attribute>> {
    let found =
        attrs.iter().enumerate().find_map(|(index, attr)| Some((index, conditional(attr)?)));
    let Some((index, (predicate, conditional))) = found else {
        return vec![attrs];
    };
    let (before, after) = (&attrs[..index], &attrs[index + 1..]);
    let case = |cfg: TokenStream, own: Vec<Attribute>| {
        let all = attributes(&cfg).into_iter().flatten().chain(before.iter().cloned()).chain(own);
        cases(all.chain(after.iter().cloned()).collect())
    };
    let mut both = case(quote!(#[cfg(#predicate)]), conditional);
    both.extend(case(quote!(#[cfg(not(#predicate))]), Vec::new()));
    both
}

/// The predicate and the attributes of a `cfg_attr`, if one of ours is among them.
fn conditional(attr: &Attribute) -> Option<(TokenStream, Vec<Attribute>)> {
    if !attr.path().is_ident("cfg_attr") {
        return None;
    }
    let mut parts = split(attr.meta.require_list().ok()?.tokens.clone()).into_iter();
    let predicate = parts.next()?;
    let attrs = parts.filter(|part| !part.is_empty()).map(|part| attributes(&quote!(#[#part])));
    let attrs: Vec<_> = attrs.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let has_ours = attrs.iter().any(|attr| is_ours(attr) || conditional(attr).is_some());
    has_ours.then_some((predicate, attrs))
}

fn attributes(tokens: &TokenStream) -> Option<Vec<Attribute>> {
    Attribute::parse_outer.parse2(tokens.clone()).ok()
}

/// What stands between the commas.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => {
                parts.push(TokenStream::new());
            }
            (_, Some(last)) => last.extend([token]),
            (_, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn read(attrs: &str) -> Vec<String> {
        let attrs = attributes(&attrs.parse().unwrap()).unwrap();
        let text = |attrs: Vec<Attribute>| {
            attrs.iter().map(|attr| attr.to_token_stream().to_string().replace(' ', "")).collect()
        };
        cases(attrs).into_iter().map(text).collect()
    }

    #[test]
    fn one_that_has_none_of_ours_stays() {
        assert_eq!(read("#[a] #[cfg_attr(b, c, d)]"), ["#[a]#[cfg_attr(b,c,d)]"]);
    }

    #[test]
    fn each_case_comes_out() {
        assert_eq!(
            read("#[a] #[cfg_attr(feature = \"x\", b(c, d), lockattr::interprocess_lock(skip),)] #[e]"),
            [
                "#[cfg(feature=\"x\")]#[a]#[b(c,d)]#[lockattr::interprocess_lock(skip)]#[e]",
                "#[cfg(not(feature=\"x\"))]#[a]#[e]",
            ]
        );
        assert_eq!(
            read("#[cfg_attr(a, cfg_attr(b, interprocess_lock(\"x\")))]"),
            [
                "#[cfg(b)]#[cfg(a)]#[interprocess_lock(\"x\")]",
                "#[cfg(not(b))]#[cfg(a)]",
                "#[cfg(not(a))]",
            ]
        );
    }
}
