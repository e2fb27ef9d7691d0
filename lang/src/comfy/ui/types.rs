//! ComfyUI's names of types, and which fit each other.

use crate::decl::Type;
use std::borrow::Cow;

/// How ComfyUI calls the type of a socket.
pub fn comfy_name(ty: &Type) -> Cow<'_, str> {
    match ty {
        Type::Int => "INT".into(),
        Type::Float => "FLOAT".into(),
        Type::Bool => "BOOLEAN".into(),
        Type::String => "STRING".into(),
        Type::Choice { .. } | Type::File { .. } => "COMBO".into(),
        Type::Dynamic(_) => "COMFY_DYNAMICCOMBO_V3".into(),
        Type::Data { comfy, .. } => Cow::Borrowed(comfy.as_ref()),
        // A socket whose type follows from what is linked takes anything.
        Type::Any | Type::Match { .. } => "*".into(),
        Type::Union(types) => {
            let names: Vec<Cow<'_, str>> = types.iter().map(comfy_name).collect();
            names.join(",").into()
        }
        Type::List(inner) => inner.first().map_or("*".into(), comfy_name),
        Type::Grow { element, .. } => element.first().map_or("*".into(), |input| comfy_name(&input.ty)),
    }
}

/// Whether a link may lead from one type to another: they are equal, one is anything, or they share an alternative.
pub(super) fn fits(a: &str, b: &str) -> bool {
    let anything = |ty: &str| ty.is_empty() || ty == "*" || ty == "0";
    let one = |a: &str, b: &str| anything(a) || anything(b) || a.eq_ignore_ascii_case(b);
    one(a, b) || a.split(',').any(|a| b.split(',').any(|b| one(a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_fit_if_they_share_one() {
        assert!(fits("IMAGE,MASK", "MASK") && fits("INT,FLOAT", "FLOAT,STRING"));
        assert!(fits("*", "MODEL") && fits("LATENT", "") && fits("Image", "IMAGE"));
        assert!(!fits("IMAGE", "MASK") && !fits("IMAGE,MASK", "LATENT,VAE"));
    }

    #[test]
    fn names_are_those_of_comfyui() {
        let union = Type::Union(vec![Type::Float, Type::Int].into());
        assert_eq!(comfy_name(&union), "FLOAT,INT");
        let choice = Type::Choice { set: None, values: Vec::new().into() };
        assert_eq!(comfy_name(&choice), "COMBO");
    }
}
