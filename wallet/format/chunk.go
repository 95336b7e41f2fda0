package format

import "io"

// chunkSize is how many bytes are written at once: what a pipe holds.
const chunkSize = 1 << 16

// chunkWriter gathers what belongs together, so that no write ends within a ticket.
type chunkWriter struct {
	w       io.Writer
	pending []byte
}

// full writes what is pending if that is enough for a write.
func (c *chunkWriter) full() error {
	if len(c.pending) < chunkSize {
		return nil
	}
	return c.flush()
}

// flush writes what is pending.
func (c *chunkWriter) flush() error {
	b := c.pending
	c.pending = b[:0]
	_, err := c.w.Write(b)
	return err
}
