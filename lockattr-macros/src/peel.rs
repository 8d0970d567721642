//! What `macro_rules!` puts around its `$e:expr`, `$t:ty` and `$i:item`: groups without delimiters, which
//! mean nothing here, and are looked through.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Expr, Type};

/// The expression inside of its groups and parentheses.
pub(crate) fn peeled(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) if group.attrs.is_empty() => peeled(*group.expr),
        Expr::Paren(paren) if paren.attrs.is_empty() => peeled(*paren.expr),
        expr => expr,
    }
}

/// The type inside of its groups and parentheses.
pub(crate) fn peeled_type(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled_type(&group.elem),
        Type::Paren(paren) => peeled_type(&paren.elem),
        ty => ty,
    }
}

/// An item out of its groups: `$i:item` is one token, behind its attributes or alone.
pub(crate) fn peeled_item(item: TokenStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    for token in item {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                let inside = group.stream();
                if is_item(&inside) {
                    tokens.extend(peeled_item(inside));
                } else {
                    tokens.extend([TokenTree::Group(group)]);
                }
            }
            token => tokens.extend([token]),
        }
    }
    tokens
}

/// An item that the attribute can stand on ends with braces; so does a `$b:block`, which is all braces.
fn is_item(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    let starts_as_one = matches!(tokens.next(), Some(TokenTree::Ident(_) | TokenTree::Punct(_)));
    starts_as_one
        && matches!(tokens.last(), Some(TokenTree::Group(last)) if last.delimiter() == Delimiter::Brace)
}
