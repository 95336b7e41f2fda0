package input

import (
	"fmt"
	"io"
)

// TooLongError is input that has more bytes than are read of it.
type TooLongError struct{ Most int64 }

func (e *TooLongError) Error() string { return fmt.Sprintf("it has more than %d bytes", e.Most) }

// ReadAll reads all of r, at most so many bytes. It fails with *TooLongError, and with r's error.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = &TooLongError{most}
	}
	return text, err
}
