//! The library's own flows, as text: they are parsed where a program may use them.

/// Every file of flows: the module below `std` that it is, and its text. `std` is what stands directly below it.
pub static FLOWS: [(&str, &str); 3] = [
    ("std", include_str!("../flows/std.flow")),
    ("prompt", include_str!("../flows/prompt.flow")),
    ("sampling", include_str!("../flows/sampling.flow")),
];
