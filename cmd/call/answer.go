package call

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/outfile"
)

// answerOptions say where the app's answer goes.
type answerOptions struct {
	file    string
	include bool
}

func (o *answerOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.file, "out", "", "write the app's answer, or the command's output, to a new `FILE` instead of stdout")
	cmd.Flags().BoolVarP(&o.include, "include", "i", false, "write the answer's status and headers before its body")
}

func (o *answerOptions) check(r *cli.Run, noPay bool) error {
	if r.Output == cli.OutputJSON && o.file == "" && !noPay {
		return cli.WithHint(cli.Usagef("--output json writes a document about the cost to stdout, so the app's answer needs a file"), "pass --out FILE")
	}
	return nil
}

// answer writes the app's answer as it arrives.
type answer struct {
	out     io.Writer
	file    *outfile.File // nil for stdout
	line    *line         // nil unless a terminal shows it
	include bool
}

func (o *answerOptions) open(r *cli.Run) (*answer, error) {
	cli.FailBrokenPipes() // a session must be stopped
	a := &answer{out: r.Out, include: o.include}
	if o.file == "" {
		if r.OutTerminal && r.ErrTerminal {
			a.line = &line{w: r.Out, ended: true}
			a.out = a.line
		}
		return a, nil
	}
	file, err := outfile.Create(r.Files, "--out", o.file)
	if err != nil {
		return nil, err
	}
	a.file, a.out = file, file
	return a, nil
}

func (a *answer) write(response *http.Response) error {
	if a.include {
		if err := writeHead(a.out, response); err != nil {
			return err
		}
	}
	_, err := io.Copy(a.out, response.Body)
	if err == nil {
		err = a.commit()
	}
	if err != nil {
		return fmt.Errorf("the app's answer is incomplete: %w", err)
	}
	return nil
}

// commit gives the file its name, and on a terminal begins a line for what follows.
func (a *answer) commit() error {
	switch {
	case a.file != nil:
		return a.file.Commit()
	case a.line != nil && !a.line.ended:
		_, err := io.WriteString(a.line, "\n")
		return err
	}
	return nil
}

// line knows whether what was written ends a line.
type line struct {
	w     io.Writer
	ended bool
}

func (l *line) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if n > 0 {
		l.ended = p[n-1] == '\n'
	}
	return n, err
}

// writeHead writes the status line and the headers, as curl -i does.
func writeHead(out io.Writer, response *http.Response) error {
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s\r\n", response.Proto, response.Status)
	_ = response.Header.Write(&head) // in memory
	_, err := io.WriteString(out, head.String()+"\r\n")
	return err
}
