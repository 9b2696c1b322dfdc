"""Sessions in processes of their own: what goes over the wire, the session's end of it, and the notebook's."""
