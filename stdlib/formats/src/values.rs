//! The values of stored numbers, exactly: every stored type but `f64` has its values in `f32`, and `f64` is rounded to
//! nearest.

use half::{bf16, f16};

use crate::{DType, TensorInfo};

/// What each byte of type `f8_e4m3` means.
static E4M3: [f32; 256] = e4m3();

const fn e4m3() -> [f32; 256] {
    let mut table = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (exponent, fraction) = ((byte as u32 >> 3) & 15, byte as u32 & 7);
        let size = if exponent == 15 && fraction == 7 {
            f32::NAN
        } else if exponent == 0 {
            // Subnormal: eighths of the smallest normal number, which is 2^-6.
            fraction as f32 / 512.0
        } else {
            // The bias is 7 there and 127 here.
            f32::from_bits((exponent + 120) << 23 | fraction << 20)
        };
        table[byte] = if byte < 128 { size } else { -size };
        byte += 1;
    }
    table
}

/// The value of one stored element, little-endian. Of a type that is no floating-point number, or of other than its
/// [size](DType::bytes), it is NaN.
#[inline]
pub fn element(dtype: DType, bytes: &[u8]) -> f32 {
    match (dtype, bytes) {
        (DType::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
        (DType::F16, &[a, b]) => f16::from_le_bytes([a, b]).to_f32(),
        (DType::Bf16, &[a, b]) => bf16::from_le_bytes([a, b]).to_f32(),
        (DType::F8E4M3, &[byte]) => E4M3[usize::from(byte)],
        // The upper half of a half-precision number.
        (DType::F8E5M2, &[byte]) => f16::from_le_bytes([0, byte]).to_f32(),
        (DType::F64, bytes) => bytes.try_into().map_or(f32::NAN, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => f32::NAN,
    }
}

impl TensorInfo {
    /// All values of the tensor, row-major, from exactly its own bytes. For small tensors, whose values say what a file
    /// is, and for patches.
    ///
    /// None if it holds no floating-point numbers, or other than its shape's many.
    pub fn values(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        let expected = TensorInfo::new(self.dtype, self.shape.clone(), 0)?.bytes;
        if !self.dtype.is_float() || expected != bytes.len() as u64 {
            return None;
        }
        let size = self.dtype.bytes();
        let stored: Vec<f32> = bytes.chunks_exact(size).map(|bytes| element(self.dtype, bytes)).collect();
        let &[rows, columns] = self.shape.as_slice() else { return Some(stored) };
        if !self.transposed {
            return Some(stored);
        }
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row));
        Some(places.map(|place| stored[place]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corners of both formats: Micikevicius et al. 2022, table 1.
    #[test]
    fn bytes_are_the_numbers_of_their_format() {
        let e4m3 = |byte| element(DType::F8E4M3, &[byte]);
        assert_eq!([e4m3(0x7e), e4m3(0xfe), e4m3(0x38), e4m3(0x08)], [448.0, -448.0, 1.0, 0.015625]);
        assert_eq!([e4m3(0x07), e4m3(0x01)], [0.875 * 2_f32.powi(-6), 2_f32.powi(-9)]);
        assert!(e4m3(0x7f).is_nan() && e4m3(0xff).is_nan() && e4m3(0x80).is_sign_negative());
        let e5m2 = |byte| element(DType::F8E5M2, &[byte]);
        assert_eq!([e5m2(0x7b), e5m2(0x3c), e5m2(0x04)], [57344.0, 1.0, 2_f32.powi(-14)]);
        assert_eq!(
            [e5m2(0x03), e5m2(0x01), e5m2(0xfc)],
            [0.75 * 2_f32.powi(-14), 2_f32.powi(-16), f32::NEG_INFINITY]
        );
        assert!(e5m2(0x7d).is_nan());
    }

    /// Every finite number of eight bits follows from the definition of its fields.
    #[test]
    fn all_bytes_follow_from_their_fields() {
        for (dtype, fraction_bits, bias) in [(DType::F8E4M3, 3, 7), (DType::F8E5M2, 2, 15)] {
            for byte in 0..=255_u8 {
                let got = element(dtype, &[byte]);
                let exponent = i32::from((byte & 0x7f) >> fraction_bits);
                let fraction =
                    f32::from(byte & ((1 << fraction_bits) - 1)) / f32::from(1_u8 << fraction_bits);
                let size = match exponent {
                    0 => fraction * 2_f32.powi(1 - bias),
                    _ => (1.0 + fraction) * 2_f32.powi(exponent - bias),
                };
                let want = if byte < 128 { size } else { -size };
                assert!(got == want || !got.is_finite() && exponent >= 15, "{dtype} {byte:#x}: {got} {want}");
            }
        }
    }

    #[test]
    fn wider_numbers_are_exact_or_rounded_to_nearest() {
        assert_eq!(element(DType::F64, &1.5_f64.to_le_bytes()), 1.5);
        assert_eq!(element(DType::F64, &0.1_f64.to_le_bytes()), 0.1);
        assert_eq!(element(DType::F16, &[0x01, 0x00]), 2_f32.powi(-24));
        assert_eq!(element(DType::Bf16, &[0x80, 0x3f]), 1.0);
        assert!(element(DType::I32, &[0; 4]).is_nan() && element(DType::F32, &[0; 3]).is_nan());
    }

    #[test]
    fn columns_one_behind_another_are_read_as_rows() {
        let info = TensorInfo::new(DType::F8E5M2, vec![3, 2], 0).unwrap();
        let bytes = [0x3c, 0x40, 0x42, 0x44, 0x45, 0x46];
        assert_eq!(info.values(&bytes).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let turned = info.transpose().unwrap();
        assert_eq!(
            (turned.shape.as_slice(), turned.values(&bytes).unwrap()),
            (&[2, 3][..], vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0])
        );
        assert_eq!(info.values(&bytes[1..]), None);
    }
}
