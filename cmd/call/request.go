package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/call"
)

// maxNamedBody limits the body of a request with an ID, in bytes: it is read before anything is
// sent.
const maxNamedBody = 16 << 20

// requestOptions are curl's flags for a request.
type requestOptions struct {
	method  string
	headers []string
	data    []string
	binary  string
}

func (o *requestOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.method, "request", "X", "", "send a request with `METHOD` (default GET, and POST with a body)")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "send the header `'NAME: VALUE'`; repeatable")
	flags.StringArrayVarP(&o.data, "data", "d", nil, "send `DATA`, the text of a file (@FILE) or of stdin (@-), without line breaks; repeatable, joined with &")
	flags.StringVar(&o.binary, "data-binary", "", "send `DATA`, a file (@FILE) or stdin (@-) unchanged")
	dialect.Relate(cmd, dialect.Exclusive, "data", "data-binary")
}

// request makes the request; end closes what its body is read from. secret names the flag that
// reads a secret from stdin, "" for none.
func (o *requestOptions) request(ctx context.Context, r *cli.Run, cmd *cobra.Command, target call.Target, named bool, secret string) (request *call.Request, end func(), err error) {
	end = func() {}
	request = &call.Request{Target: target, Method: strings.ToUpper(o.method), Header: make(http.Header)}
	for _, text := range o.headers {
		line, empty := text, strings.HasSuffix(text, ";") && !strings.Contains(text, ":")
		if empty {
			line = strings.TrimSuffix(text, ";") + ":"
		}
		name, value, ok := cli.ParseHeader(line)
		switch name = http.CanonicalHeaderKey(name); {
		case !ok:
			return nil, end, cli.Usagef("-H: %.80q is not a header; write it as 'NAME: VALUE'", text)
		case value != "" || empty:
			request.Header.Add(name, value)
		case request.Header[name] == nil:
			request.Header[name] = nil // not even pmctl's own
		}
	}
	if o.method != "" && !httpguts.ValidHeaderFieldName(o.method) {
		return nil, end, cli.Usagef("-X: %.80q is not an HTTP method", o.method)
	}
	hasBody := len(o.data) > 0 || cmd.Flags().Changed("data-binary")
	if request.Method == "" {
		request.Method = http.MethodGet
		if hasBody || target.Sessions() {
			request.Method = http.MethodPost
		}
	}
	if !hasBody {
		return request, end, nil
	}
	if o.stdin() && secret != "" {
		return nil, end, cli.Usagef("the body and %s cannot both be read from stdin: pass a file, or another descriptor", secret)
	}
	if _, set := request.Header["Content-Type"]; !set {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if len(o.data) > 0 {
		request.Body, err = o.text(ctx, r)
		return request, end, err
	}
	in, size, err := open(ctx, r, "--data-binary", o.binary)
	if err != nil {
		return nil, end, err
	}
	end = func() { in.Close() }
	if !named && size != 0 { // as also a file has that is made while it is read, such as of /proc
		request.Body = call.NewBody(in, size)
		return request, end, nil
	}
	whole, err := readAll(in)
	request.Body = call.BytesBody(whole)
	return request, end, err
}

// stdin reports whether the body is read from stdin.
func (o *requestOptions) stdin() bool { return o.binary == "@-" || slices.Contains(o.data, "@-") }

// text is the body of --data: what it is given, without line ends of files.
func (o *requestOptions) text(ctx context.Context, r *cli.Run) (*call.Body, error) {
	parts := make([]string, len(o.data))
	for i, data := range o.data {
		in, _, err := open(ctx, r, "-d", data)
		if err != nil {
			return nil, err
		}
		whole, err := readAll(in)
		in.Close()
		if err != nil {
			return nil, err
		}
		parts[i] = string(whole)
		if strings.HasPrefix(data, "@") {
			parts[i] = strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(parts[i])
		}
	}
	return call.BytesBody([]byte(strings.Join(parts, "&"))), nil
}

// open opens DATA, @FILE or @- of a flag. The size is -1 where it is not known.
func open(ctx context.Context, r *cli.Run, flag, data string) (in io.ReadCloser, size int64, err error) {
	path, isFile := strings.CutPrefix(data, "@")
	switch {
	case !isFile:
		return io.NopCloser(strings.NewReader(data)), int64(len(data)), nil
	case path == "-":
		return io.NopCloser(r.In), -1, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, cli.Usagef("%s: %w", flag, err)
	}
	size = -1
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	file, err := input.Open(ctx, path)
	if err != nil && ctx.Err() != nil {
		return nil, 0, err
	} else if err != nil {
		return nil, 0, cli.Usagef("%s: %w", flag, err)
	}
	return file, size, nil
}

var errLargeBody = errors.New("the body is too large")

func readAll(in io.Reader) ([]byte, error) {
	whole, err := input.ReadAll(in, maxNamedBody)
	if errors.As(err, new(*input.TooLongError)) {
		err = cli.Usage(fmt.Errorf("%w: with -d or --request-id it can have at most %d bytes; use --data-binary without --request-id", errLargeBody, maxNamedBody))
	}
	return whole, err
}
