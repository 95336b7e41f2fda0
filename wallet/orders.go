package wallet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrOrder is returned for a line that names no recipient, or no amount where none is given for
// all lines.
var ErrOrder = errors.New("not a recipient and an amount")

// Order is a line of a file of recipients: a recipient, and how much it is paid.
type Order struct {
	// Line is its number in the file. PayAll makes the request ID of its payment of it.
	Line   int
	To     pay.Target
	Amount pay.Amount
}

// String names the line, for messages.
func (o Order) String() string { return fmt.Sprintf("line %d, %s", o.Line, o.To) }

// orderForm is the hint for a line of another form.
const orderForm = "write RECIPIENT AMOUNT, such as https://recipient.example 3000gwei, or pass --value for all lines"

// unquoted is an error about a word of a line without the word: the file may be another one than was meant,
// such as one with a passphrase.
func unquoted(err error) error {
	for _, kind := range []error{pay.ErrURL, format.ErrAddress, wei.ErrNoUnit, wei.ErrUnit, wei.ErrSyntax, wei.ErrRange, wei.ErrTooPrecise} {
		if errors.Is(err, kind) {
			return hint.With(kind, orderForm)
		}
	}
	return err
}

// parseOrder reads RECIPIENT [AMOUNT]; amount is that of a line without one.
func parseOrder(text string, amount pay.Amount) (pay.Target, pay.Amount, error) {
	if strings.ContainsAny(text, ",;") {
		return pay.Target{}, amount, hint.With(fmt.Errorf("%w: it has a comma or a semicolon", ErrOrder), "write RECIPIENT AMOUNT, with a space between them")
	}
	name, value, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(text, "\t", " ")), " ")
	to, err := pay.ParseTarget(name)
	if err != nil {
		return to, amount, unquoted(err)
	}
	if value = strings.TrimSpace(value); value != "" {
		if amount.Value, err = wei.Parse(value); err != nil {
			return to, amount, unquoted(err)
		}
		amount.Count = 0
	}
	if amount.Count == 0 && amount.Value.IsZero() {
		return to, amount, hint.With(fmt.Errorf("%w: it has no amount above 0", ErrOrder), orderForm)
	}
	return to, amount, nil
}

// ReadOrders reads a file of recipients: one on each line, with its amount behind a space if that
// is not amount. Empty lines and lines that begin with # count as lines. It returns ErrOrder,
// format.ErrTooLarge, and the errors of pay.ParseTarget, wei.Parse and in.
func ReadOrders(in io.Reader, amount pay.Amount) (orders []Order, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, format.MaxSize+1)
	size := 0
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if number == 1 {
			text = strings.TrimPrefix(text, input.ByteOrderMark)
		}
		if size += len(lines.Bytes()) + 1; size > format.MaxSize {
			return nil, fmt.Errorf("%w: it has more than %d bytes", format.ErrTooLarge, format.MaxSize)
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		o := Order{Line: number}
		if o.To, o.Amount, err = parseOrder(text, amount); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		orders = append(orders, o)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(orders) == 0 {
		return nil, fmt.Errorf("%w: there is no line with one", ErrOrder)
	}
	return orders, nil
}
