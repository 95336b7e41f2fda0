package input

import (
	"bytes"
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

// ReadSecret is ReadAll into one buffer, since growing one would leave copies of the secret behind.
// The caller clears the result; if ReadSecret fails, it has cleared what it read.
func ReadSecret(r io.Reader, most int64) ([]byte, error) {
	buffer := bytes.NewBuffer(make([]byte, 0, most+1+bytes.MinRead))
	_, err := buffer.ReadFrom(io.LimitReader(r, most+1))
	text := buffer.Bytes()
	if err == nil && int64(len(text)) > most {
		err = &TooLongError{most}
	}
	if err != nil {
		clear(text)
		return nil, err
	}
	return text, nil
}
