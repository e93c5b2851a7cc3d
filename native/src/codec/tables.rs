//! The types of one API, as Python sees them: told in batches, loaded when an Any first names them.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::prelude::*;

use super::load::{self, RawEnum, RawType};
use super::reader::Loader;
use super::schema::{Schema, TypeId};

#[pyclass(frozen, module = "edge_native")]
pub struct Tables {
    pub schema: Arc<Schema>,
    /// (tables, full name): tells the type to `add`, if there is one. It must not hold the tables, so that both can be freed.
    loader: Py<PyAny>,
    /// Every type there is to be told: an answer may hold a million Anys of types that are not, and Python is slow to say so.
    full_names: HashSet<String>,
}

#[pymethods]
impl Tables {
    #[new]
    fn new(loader: Py<PyAny>, full_names: HashSet<String>) -> Self {
        Self { schema: Arc::default(), loader, full_names }
    }

    /// Adds types, in the form of `edge/wire/native/tables.py`.
    fn add(&self, enums: Vec<RawEnum>, types: Vec<RawType>) -> PyResult<()> {
        load::add(&self.schema, enums, types)
    }

    fn knows(&self, full_name: &str) -> bool {
        self.schema.find(full_name).is_some()
    }
}

pub struct PyLoader<'py, 't> {
    py: Python<'py>,
    tables: &'t Py<Tables>,
}

impl<'py, 't> PyLoader<'py, 't> {
    pub fn new(py: Python<'py>, tables: &'t Py<Tables>) -> Self {
        Self { py, tables }
    }
}

impl Loader for PyLoader<'_, '_> {
    fn load(&self, full_name: &str) -> PyResult<Option<TypeId>> {
        let tables = self.tables.get();
        if !tables.full_names.contains(full_name) {
            return Ok(None);
        }
        tables.loader.call1(self.py, (self.tables.clone_ref(self.py), full_name))?;
        Ok(tables.schema.find(full_name))
    }
}
