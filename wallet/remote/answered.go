package remote

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
)

// Answered is a request that was answered.
type Answered struct {
	// At is when it came, and Took how long the answer took.
	At   time.Time
	Took time.Duration

	RequestID    string
	Method, Path string

	// Caller is who sent it, as far as that was found out.
	Caller Caller

	// Recipient would be paid; nil where the request was refused before that was known.
	Recipient *common.Address

	// Status is the answer's, and Err the reason for a refusal.
	Status int
	Err    error

	// Paid is the payment; nil for none.
	Paid *Paid
}

// maxLogged bounds each text of a line, in characters: an error can repeat what the request has, and a client
// or a stranger could fill the disk.
const maxLogged = 1000

// log writes the line of a request.
func (a *Answered) log(ctx context.Context, to *slog.Logger) {
	level := slog.LevelInfo
	fields := []slog.Attr{
		slog.String("request_id", a.RequestID), slog.String("method", a.Method), slog.String("path", a.Path),
		slog.Int("status", a.Status), slog.Int64("duration_us", a.Took.Microseconds()),
	}
	if a.Caller.Client != nil {
		fields = append(fields, slog.String("client", words.Cut(a.Caller.AuthID(), maxLogged)))
	}
	if a.Recipient != nil {
		fields = append(fields, slog.String("recipient", a.Recipient.Hex()))
	}
	if a.Paid != nil {
		fields = append(fields, a.Paid.fields()...)
	}
	if a.Err != nil {
		fields = append(fields, slog.String("error", words.Cut(a.Err.Error(), maxLogged)))
		if a.Status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	to.LogAttrs(ctx, level, "request", fields...)
}
