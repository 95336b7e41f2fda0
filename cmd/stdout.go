package cmd

import (
	"io"
	"os"
)

// wholeWrites is a stream that may be a file. What a full disk leaves of a write there is
// taken back, so that a file never ends within a ticket.
type wholeWrites struct{ *os.File }

func (w wholeWrites) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	if err != nil && n > 0 && w.takeBack(int64(n)) == nil {
		n = 0
	}
	return n, err
}

// takeBack drops the last bytes of a regular file, which were just written.
func (w wholeWrites) takeBack(n int64) error {
	info, err := w.Stat()
	if err != nil {
		return err
	}
	end, err := w.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || end != info.Size() {
		return os.ErrInvalid // others write there too
	}
	if err := w.Truncate(end - n); err != nil {
		return err
	}
	_, err = w.Seek(end-n, io.SeekStart)
	return err
}
