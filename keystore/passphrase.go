package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/internal/input"
)

// PassphraseSource returns a passphrase when it is needed. question is for a person, without
// punctuation, and ignored by other sources. The caller clears the passphrase after use.
type PassphraseSource func(ctx context.Context, question string) ([]byte, error)

// errNoSource is returned where a passphrase is needed and the source is nil.
var errNoSource = errors.New("no source of the passphrase")

func (s PassphraseSource) read(ctx context.Context, question string) ([]byte, error) {
	if s == nil {
		return nil, errNoSource
	}
	return s(ctx, question)
}

// MaxPassphrase is the longest passphrase, in bytes.
const MaxPassphrase = 4096

// PassphraseFile reads the passphrase from a file or a named pipe, without the newline at its end.
// It waits for a pipe until its context ends. It returns ErrPassphraseFile if path is neither, or if
// other users can read it, ErrEmptyPassphrase for an empty file and ErrBadPassphrase for more than MaxPassphrase
// bytes.
//
// Files in one of the private folders may have any mode, as long as other users cannot enter the
// folder: a service manager's credentials, for example.
func PassphraseFile(path string, private ...string) PassphraseSource {
	return func(ctx context.Context, _ string) ([]byte, error) {
		f, err := input.Open(ctx, path)
		if errors.Is(err, input.ErrFolder) {
			return nil, fmt.Errorf("%w: %w", ErrPassphraseFile, err)
		} else if err != nil {
			return nil, fmt.Errorf("passphrase file: %w", err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("passphrase file: %w", err)
		}
		if mode := info.Mode(); !mode.IsRegular() && mode&os.ModeNamedPipe == 0 {
			return nil, fmt.Errorf("%w: %s is neither a file nor a pipe", ErrPassphraseFile, path)
		}
		if others := access.Readers(path, info, private...); others != "" {
			return nil, &ReadableError{Path: path, By: others}
		}
		passphrase, err := readPassphrase(ctx, f)
		if ctx.Err() != nil { // same as if the file had not been opened yet
			return nil, fmt.Errorf("passphrase file: %w", context.Cause(ctx))
		} else if err != nil {
			return nil, fmt.Errorf("passphrase file %s: %w", path, err)
		}
		return passphrase, nil
	}
}

// PassphraseReader reads the passphrase from r to its end, without the newline at the end. It
// returns ErrEmptyPassphrase, ErrBadPassphrase and r's errors.
func PassphraseReader(r io.Reader) PassphraseSource {
	return func(ctx context.Context, _ string) ([]byte, error) {
		passphrase, err := readPassphrase(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("passphrase: %w", err)
		}
		return passphrase, nil
	}
}

// readPassphrase reads r to its end and strips one newline, "\n" or "\r\n". Empty input is an error,
// since that is what a failed secret manager writes; a newline alone is the empty passphrase.
func readPassphrase(ctx context.Context, r io.Reader) ([]byte, error) {
	text, err := input.ReadSecret(r, MaxPassphrase+int64(len("\r\n")))
	passphrase := text
	if line, ok := bytes.CutSuffix(text, []byte("\n")); ok {
		passphrase = bytes.TrimSuffix(line, []byte("\r"))
	}
	switch {
	case ctx.Err() != nil:
		// A reader that ended because the command was cancelled ended too early.
		err = context.Cause(ctx)
	case errors.As(err, new(*input.TooLongError)), len(passphrase) > MaxPassphrase:
		err = fmt.Errorf("%w: over %d bytes", ErrBadPassphrase, MaxPassphrase)
	case err == nil && len(text) == 0:
		err = fmt.Errorf("%w: there is nothing to read", ErrEmptyPassphrase)
	}
	if err != nil {
		clear(text)
		return nil, err
	}
	return passphrase, nil
}

// checkNewPassphrase refuses a passphrase that protects nothing or cannot be typed again.
func checkNewPassphrase(passphrase []byte) error {
	switch {
	case len(passphrase) == 0:
		return fmt.Errorf("%w: anyone who can read the file could use the account", ErrEmptyPassphrase)
	case len(passphrase) > MaxPassphrase:
		return fmt.Errorf("%w: over %d bytes", ErrBadPassphrase, MaxPassphrase)
	case encodingOf(passphrase) != "":
		return fmt.Errorf("%w: it begins with %s; save the file as UTF-8 without one", ErrBadPassphrase, encodingOf(passphrase))
	case bytes.ContainsAny(passphrase, "\r\n\x00"):
		// Wallets disagree on where such a passphrase ends.
		return fmt.Errorf("%w: a new one must be a single line of text", ErrBadPassphrase)
	}
	return nil
}

// encodingOf names the byte order mark that a passphrase begins with, "" for none: some editors
// write one, and other wallets do not expect it.
func encodingOf(passphrase []byte) string {
	switch {
	case bytes.HasPrefix(passphrase, []byte(input.ByteOrderMark)):
		return "a UTF-8 byte order mark"
	case bytes.HasPrefix(passphrase, []byte("\xff\xfe")), bytes.HasPrefix(passphrase, []byte("\xfe\xff")):
		return "a UTF-16 byte order mark"
	}
	return ""
}
