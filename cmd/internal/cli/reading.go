package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode"

	"golang.org/x/net/http/httpguts"

	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/keystore"
)

// ReadSecret reads a key to the end of in, at most limit bytes.
func ReadSecret(in io.Reader, name string, limit int) ([]byte, error) {
	key, err := input.ReadSecret(in, int64(limit))
	switch {
	case errors.As(err, new(*input.TooLongError)):
		return nil, fmt.Errorf("%w: %s has more than %d bytes", keystore.ErrBadKey, name, limit)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(key) == 0:
		return nil, fmt.Errorf("%w: %s is empty", keystore.ErrBadKey, name)
	}
	return key, nil
}

// ReadSecretFile reads a file that a flag names, which other users must not be able to read. Among
// the service manager's credentials it may have any mode.
func ReadSecretFile(env *Env, flag, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if others := access.Readers(path, info, env.Getenv("CREDENTIALS_DIRECTORY")); others != "" {
		return nil, WithHint(fmt.Errorf("%s %s can be read by %s", flag, path, others), "chmod 600 %s", ShellWord(path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return bytes.TrimPrefix(text, []byte(input.ByteOrderMark)), nil
}

// ReadToken reads a bearer token from a file, without the white space around it. An empty one would
// be sent as none.
func ReadToken(env *Env, flag, path string) (string, error) {
	text, err := ReadSecretFile(env, flag, path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", Usagef("%s %s is empty", flag, path)
	}
	return token, nil
}

// readEndpoint reads a server's URL and the headers of requests to it. Both may have secrets in
// them, which is why they come from a file, and are not shown. What no request can be made with is
// refused here: it would show with the first one, when the program runs already.
func readEndpoint(env *Env, flag, path string) (address string, headers http.Header, err error) {
	text, err := ReadSecretFile(env, flag, path)
	if err != nil {
		return "", nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	address = strings.TrimSpace(lines[0])
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return "", nil, Usagef("the first line of %s is not an http:// or https:// URL", path)
	}
	if u, err := url.Parse(address); err != nil || u.Hostname() == "" || strings.ContainsAny(address, " \t#") {
		return "", nil, Usagef("the URL in the first line of %s is not valid: it must have a host, and neither spaces nor a # part", path)
	}
	headers = make(http.Header)
	for i, line := range lines[1:] {
		name, value, ok := ParseHeader(line)
		if !ok {
			return "", nil, Usagef("line %d of %s is not a valid header, written as NAME: VALUE: its name may have letters, digits and dashes, and its value no control characters", i+2, path)
		}
		headers.Add(name, value)
	}
	return address, headers, nil
}

// SpeakTo makes what speaks to the server that a file names, as readEndpoint reads it; nil for no file.
func SpeakTo[T any](env *Env, flag, path string, speaker func(address string, headers http.Header) *T) (*T, error) {
	if path == "" {
		return nil, nil
	}
	address, headers, err := readEndpoint(env, flag, path)
	if err != nil {
		return nil, err
	}
	return speaker(address, headers), nil
}

// ParseHeader reads a header of HTTP requests, written as NAME: VALUE. It returns false for text
// that no request can have as one.
func ParseHeader(text string) (name, value string, ok bool) {
	name, value, found := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	return name, value, found && httpguts.ValidHeaderFieldName(name) && !strings.ContainsFunc(value, unicode.IsControl)
}

// ReadDocument reads a document from a file, or from stdin when it is "-".
func ReadDocument[T any](ctx context.Context, r *Run, file string, decode func(io.Reader) (*T, error)) (*T, error) {
	in, err := OpenDocument(ctx, r, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	document, err := decode(in)
	return document, WithSource(file, err)
}

// FileOrStdin is the file that a command's arguments name; stdin when they name none.
func FileOrStdin(args []string) string {
	if len(args) == 0 {
		return "-"
	}
	return args[0]
}

// OpenDocument opens a file, or stdin for "-". Reading it ends with ctx.
func OpenDocument(ctx context.Context, r *Run, file string) (io.ReadCloser, error) {
	if file != "-" {
		return input.Open(ctx, file)
	}
	if r.InTerminal {
		return nil, Usagef("there is nothing on stdin: name a FILE, or pipe a document in")
	}
	return io.NopCloser(r.In), nil
}
