//! Python's objects for what requests say again and again: methods, versions, field names, kinds of flaws.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

use super::flaw::{Flaw, Kind};
use super::methods::METHODS;
use super::scan::Version;

pub struct Words {
    pub methods: Vec<Py<PyString>>,
    versions: [Py<PyString>; 4],
    pub slash: Py<PyString>,
    pub empty: Py<PyString>,
    pub no_bytes: Py<PyBytes>,
    pub host: Py<PyBytes>,
    names: Vec<Vec<(&'static str, Py<PyBytes>)>>,
    flaw: Py<PyAny>,
    kinds: [Py<PyAny>; 7],
}

static WORDS: PyOnceLock<Words> = PyOnceLock::new();

const VERSIONS: [Version; 4] = [Version::Http09, Version::Http20, Version::Http10, Version::Http11];
const KINDS: [&str; 7] =
    ["MALFORMED", "VERSION", "EXPECTATION", "NO_ROUTE", "URI_TOO_LONG", "HEADERS_TOO_LARGE", "BODY_TOO_LARGE"];
const NAMES: [&str; 48] = [
    "te",
    "age",
    "dnt",
    "via",
    "date",
    "etag",
    "from",
    "host",
    "accept",
    "cookie",
    "expect",
    "origin",
    "pragma",
    "range",
    "priority",
    "referer",
    "traceparent",
    "tracestate",
    "upgrade",
    "if-match",
    "connection",
    "forwarded",
    "keep-alive",
    "user-agent",
    "content-type",
    "x-request-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-api-key",
    "grpc-timeout",
    "cache-control",
    "authorization",
    "if-none-match",
    "content-length",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "idempotency-key",
    "content-encoding",
    "if-modified-since",
    "transfer-encoding",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-dest",
    "sec-websocket-key",
    "upgrade-insecure-requests",
    "connect-protocol-version",
];
const LONGEST: usize = 32;

impl Words {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        WORDS.get_or_try_init(py, || {
            let core = py.import("edge.core.http1_head")?;
            let kinds = core.getattr("FlawKind")?;
            let [a, b, c, d, e, f, g] = KINDS.map(|name| kinds.getattr(name).map(Bound::unbind));
            let mut names: Vec<Vec<(&'static str, Py<PyBytes>)>> = (0..LONGEST).map(|_| Vec::new()).collect();
            for name in NAMES {
                names[name.len()].push((name, PyBytes::new(py, name.as_bytes()).unbind()));
            }
            Ok(Self {
                methods: METHODS.iter().map(|name| PyString::intern(py, name).unbind()).collect(),
                versions: VERSIONS.map(|version| PyString::intern(py, version.text()).unbind()),
                slash: PyString::intern(py, "/").unbind(),
                empty: PyString::intern(py, "").unbind(),
                no_bytes: PyBytes::new(py, b"").unbind(),
                host: PyBytes::new(py, b"host").unbind(),
                names,
                flaw: core.getattr("HeadFlaw")?.unbind(),
                kinds: [a?, b?, c?, d?, e?, f?, g?],
            })
        })
    }

    pub fn version(&self, py: Python<'_>, version: Version) -> Py<PyString> {
        self.versions[version as usize].clone_ref(py)
    }

    /// A field name in lower case. The very object again where it is a usual one: its hash is known then.
    pub fn name<'py>(&self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
        if let Some(known) = self.names.get(name.len()) {
            for (text, object) in known {
                if text.as_bytes().eq_ignore_ascii_case(name) {
                    return object.bind(py).clone();
                }
            }
        }
        PyBytes::new(py, &name.to_ascii_lowercase())
    }

    pub fn flaw<'py>(&self, py: Python<'py>, flaw: Flaw) -> PyResult<Bound<'py, PyAny>> {
        self.flaw.bind(py).call1((&self.kinds[place(flaw.kind)], flaw.detail))
    }
}

const fn place(kind: Kind) -> usize {
    kind as usize
}
