//! Rules by which one picture covers another: T. Porter and T. Duff, Compositing digital images (1984), and the
//! blending rules that go with them.

/// A channel of a pixel, multiplied by its alpha, and that alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixel {
    /// The colour.
    pub color: f32,
    /// 1 covers.
    pub alpha: f32,
}

/// Lays a pixel, the first, over another.
pub type Rule = fn(Pixel, Pixel) -> Pixel;

/// The rule of a name of ComfyUI's.
///
/// # Errors
/// If there is no such rule, with the reason.
pub fn rule(name: &str) -> Result<Rule, String> {
    Ok(match name {
        "ADD" => |s, d| Pixel {
            color: (s.color + d.color).clamp(0.0, 1.0),
            alpha: (s.alpha + d.alpha).clamp(0.0, 1.0),
        },
        "CLEAR" => |_, _| Pixel { color: 0.0, alpha: 0.0 },
        "DARKEN" => |s, d| blended(s, d, f32::min),
        "LIGHTEN" => |s, d| blended(s, d, f32::max),
        "DST" => |_, d| d,
        "SRC" => |s, _| s,
        "DST_ATOP" => |s, d| Pixel { color: s.alpha * d.color + (1.0 - d.alpha) * s.color, alpha: s.alpha },
        "SRC_ATOP" => |s, d| Pixel { color: d.alpha * s.color + (1.0 - s.alpha) * d.color, alpha: d.alpha },
        "DST_IN" => |s, d| scaled(d, s.alpha),
        "SRC_IN" => |s, d| scaled(s, d.alpha),
        "DST_OUT" => |s, d| scaled(d, 1.0 - s.alpha),
        "SRC_OUT" => |s, d| scaled(s, 1.0 - d.alpha),
        "DST_OVER" => |s, d| sum(d, scaled(s, 1.0 - d.alpha)),
        "SRC_OVER" => |s, d| sum(s, scaled(d, 1.0 - s.alpha)),
        "XOR" => |s, d| sum(scaled(s, 1.0 - d.alpha), scaled(d, 1.0 - s.alpha)),
        "MULTIPLY" => |s, d| Pixel { color: s.color * d.color, alpha: s.alpha * d.alpha },
        "SCREEN" => |s, d| Pixel { color: s.color + d.color - s.color * d.color, alpha: union(s, d) },
        "OVERLAY" => |s, d| {
            let dark = 2.0 * s.color * d.color;
            let bright = s.alpha * d.alpha - 2.0 * (d.alpha - s.color) * (s.alpha - d.color);
            Pixel { color: if 2.0 * d.color < d.alpha { dark } else { bright }, alpha: union(s, d) }
        },
        other => return Err(format!("`{other}` is no rule of compositing")),
    })
}

fn scaled(pixel: Pixel, by: f32) -> Pixel {
    Pixel { color: by * pixel.color, alpha: by * pixel.alpha }
}

fn sum(a: Pixel, b: Pixel) -> Pixel {
    Pixel { color: a.color + b.color, alpha: a.alpha + b.alpha }
}

fn union(a: Pixel, b: Pixel) -> f32 {
    a.alpha + b.alpha - a.alpha * b.alpha
}

/// Each colour where it is alone, and a choice of both where they meet.
fn blended(s: Pixel, d: Pixel, of: fn(f32, f32) -> f32) -> Pixel {
    let color = (1.0 - d.alpha) * s.color + (1.0 - s.alpha) * d.color + of(s.color, d.color);
    Pixel { color, alpha: union(s, d) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_source_covers_and_a_transparent_one_does_not() {
        let opaque = Pixel { color: 0.25, alpha: 1.0 };
        let clear = Pixel { color: 0.0, alpha: 0.0 };
        let under = Pixel { color: 0.5, alpha: 0.75 };
        for (name, covered, uncovered) in [
            ("SRC_OVER", opaque, under),
            ("SRC", opaque, clear),
            ("DST", under, under),
            ("CLEAR", clear, clear),
            ("DST_OUT", clear, under),
            ("XOR", Pixel { color: 0.0625, alpha: 0.25 }, under),
            ("SRC_IN", Pixel { color: 0.1875, alpha: 0.75 }, clear),
            ("SCREEN", Pixel { color: 0.625, alpha: 1.0 }, under),
            ("LIGHTEN", Pixel { color: 0.5625, alpha: 1.0 }, Pixel { color: 1.0, alpha: 0.75 }),
        ] {
            let rule = rule(name).expect("a rule");
            assert_eq!(rule(opaque, under), covered, "{name}");
            assert_eq!(rule(clear, under), uncovered, "{name}");
        }
        assert!(rule("OVER").is_err());
    }
}
