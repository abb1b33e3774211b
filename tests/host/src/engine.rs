//! wasmtime's engine, once per process, and compiled components.
//!
//! Compilation goes through wasmtime's cache on disk, keyed by the code and the engine's settings,
//! which makes every start but the first quick.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often a guest that never yields is interrupted, where interrupting is on.
const TICK: Duration = Duration::from_millis(10);

/// Instances at a time, over all components: Spin's own bound.
const MOST_INSTANCES: u32 = 1000;

/// A file's compiled code, by path, modification time and size.
type Compiled = BTreeMap<(PathBuf, Option<SystemTime>, u64), Component>;

/// The engine. The first caller's `cache` (a directory) is used for the whole process.
pub(crate) fn engine(cache: Option<&Path>) -> Result<&'static Engine> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let engine = Engine::new(&config(cache)?)?;
    let weak = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            std::thread::sleep(TICK);
        }
    });
    Ok(ENGINE.get_or_init(|| engine))
}

fn config(cache: Option<&Path>) -> Result<Config> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling()));
    if let Some(directory) = cache {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make cache {}", directory.display()))?;
        let mut settings = CacheConfig::new();
        settings.with_directory(std::path::absolute(directory)?);
        config.cache(Some(Cache::new(settings)?));
    }
    Ok(config)
}

/// Spin's settings: making an instance must not cost a system call per memory.
fn pooling() -> PoolingAllocationConfig {
    let mut pooling = PoolingAllocationConfig::default();
    pooling
        .total_component_instances(MOST_INSTANCES)
        .total_memories(MOST_INSTANCES)
        .total_tables(2 * MOST_INSTANCES)
        .total_stacks(MOST_INSTANCES)
        .total_core_instances(4 * MOST_INSTANCES)
        .table_elements(100_000)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(10 << 20)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_memory_size(4 << 30)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(512 << 10);
    pooling
}

/// The component at `path`, compiled now or earlier.
pub(crate) fn load(engine: &Engine, path: &Path) -> Result<Component> {
    static COMPILED: Mutex<Compiled> = Mutex::new(BTreeMap::new());
    let named = || format!("cannot load component {}", path.display());
    let file = std::fs::metadata(path).with_context(named)?;
    let key = (path.to_owned(), file.modified().ok(), file.len());
    // Held while compiling: a second caller waits instead of compiling the same again.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(component) = compiled.get(&key) {
        return Ok(component.clone());
    }
    let component = Component::from_file(engine, path).map_err(anyhow::Error::from).with_context(named)?;
    compiled.insert(key, component.clone());
    Ok(component)
}

/// Names of the interfaces that the component at `path` imports, for a test that keeps them few.
///
/// # Errors
/// It is no component.
pub fn imports(path: &Path) -> Result<Vec<String>> {
    let engine = engine(None)?;
    let component = load(engine, path)?;
    let shape = component.component_type();
    Ok(shape.imports(engine).map(|(name, _)| name.to_owned()).collect())
}
