//! Devices of the burn engine: found, checked and named before anything runs on them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, ExecutionError};

use super::BurnError;

/// A device that computed a test sum when it was opened.
#[derive(Clone)]
pub struct BurnDevice {
    pub(super) device: Device,
    name: String,
}

impl BurnDevice {
    /// The CPU, through burn's own backend: slower than the CPU engine, for comparisons.
    pub fn cpu() -> BurnDevice {
        BurnDevice { device: Device::flex(), name: "burn:cpu".to_owned() }
    }

    /// The GPU that the driver counts as `index`.
    ///
    /// # Errors
    /// If there is no such GPU, or what compiles kernels at run time (NVRTC, CUDA's headers) is missing.
    #[cfg(feature = "cuda")]
    pub fn cuda(index: usize) -> Result<BurnDevice, BurnError> {
        let name = format!("cuda:{index}");
        let unusable = |reason| BurnError::Unusable { device: name.clone(), reason };
        // Without a driver the list is empty, while opening a device by its index would panic in its worker.
        let devices = caught(|| Device::enumerate(burn::tensor::DeviceType::Cuda)).map_err(unusable)?;
        let devices: Vec<Device> = devices.into_iter().collect();
        let found = devices.len();
        let device = match devices.into_iter().nth(index) {
            Some(device) => device,
            None if found == 0 => return Err(BurnError::NoGpu),
            None => return Err(BurnError::NoSuchGpu { index, found }),
        };
        find_headers()?;
        caught(|| probe(&device)).and_then(|result| result).map_err(unusable)?;
        Ok(BurnDevice { device, name })
    }

    /// Its name, such as `cuda:0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes that burn holds on the device, pages kept for reuse included; `None` where it does not say.
    pub fn reserved_bytes(&self) -> Option<u64> {
        let usage = caught(|| self.device.memory_pool_usage()).ok().flatten();
        usage.map(|usage| usage.bytes_reserved)
    }

    /// Gives memory that no tensor uses back to the driver.
    pub fn release_unused(&self) {
        // Only a lost device fails here, and the next use of it says so.
        let _ = caught(|| self.device.memory_cleanup());
    }

    /// An error of the device's execution, as one of ours where the whole device is lost.
    pub(super) fn lost(&self, error: &ExecutionError) -> Option<BurnError> {
        matches!(error, ExecutionError::DevicePoisoned { .. })
            .then(|| BurnError::Lost { device: self.name.clone(), reason: error.to_string() })
    }
}

impl fmt::Debug for BurnDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BurnDevice").field(&self.name).finish()
    }
}

/// Runs `body`; a panic becomes its message.
pub(super) fn caught<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("burn panicked without a message").to_owned()
}

/// Looks for the headers that kernels include, where NVRTC will be told to look: without them it panics.
#[cfg(feature = "cuda")]
fn find_headers() -> Result<(), BurnError> {
    let root = cubecl_cuda::install::cuda_path().unwrap_or_else(|| "/usr/local/cuda".into());
    let include = root.join("include");
    let known = |header: &str| include.join(header).is_file() || include.join("cccl").join(header).is_file();
    match ["cuda_fp16.h", "cuda_bf16.h", "mma.h", "cuda/barrier"].into_iter().find(|header| !known(header)) {
        Some(header) => Err(BurnError::NoHeaders { missing: include.join(header).display().to_string() }),
        None => Ok(()),
    }
}

/// Compiles and runs one kernel, so that a broken installation shows here and not in the middle of a run.
#[cfg(feature = "cuda")]
fn probe(device: &Device) -> Result<(), String> {
    use burn::tensor::{DType, Tensor, TensorData};

    let one = Tensor::<1>::from_data(TensorData::new(vec![1.0_f32; 64], [64]), (device, DType::F32));
    let data = (one.clone() + one).try_into_data().map_err(|error| error.to_string())?;
    let sums = data.as_slice::<f32>().map_err(|error| error.to_string())?;
    if sums.iter().all(|&sum| sum == 2.0) { Ok(()) } else { Err("it computes 1 + 1 wrongly".to_owned()) }
}
