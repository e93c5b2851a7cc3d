//! What every binding of an API shares: its types, how its requests are read, and where types come from that none has used yet.

use super::reader::{Loader, ReadOptions};
use super::schema::Schema;

#[derive(Clone, Copy)]
pub struct Api<'s> {
    pub schema: &'s Schema,
    pub options: ReadOptions,
    pub loader: &'s dyn Loader,
}
