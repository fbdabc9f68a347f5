//! A see-through network stack in user space: one name to depend on.
