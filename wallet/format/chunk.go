package format

import "io"

// chunkSize is how many bytes are written at once: the size of a pipe's buffer.
const chunkSize = 1 << 16

// chunkWriter buffers output so that no write ends within a ticket.
type chunkWriter struct {
	w       io.Writer
	pending []byte
}

// full writes the buffer if it is large enough.
func (c *chunkWriter) full() error {
	if len(c.pending) < chunkSize {
		return nil
	}
	return c.flush()
}

func (c *chunkWriter) flush() error {
	b := c.pending
	c.pending = b[:0]
	_, err := c.w.Write(b)
	return err
}
