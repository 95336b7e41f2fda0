package call

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/wei"
)

// callResult is what pmctl call answers. With --no-pay it is what the first payment would be.
type callResult struct {
	URL        string         `json:"url"`
	Sender     format.Address `json:"sender"`
	HTTPStatus *format.Num    `json:"http_status,omitzero"`
	Payments   format.Num     `json:"payments"`
	Tickets    format.Num     `json:"tickets"`
	*cost
}

// cost is what was asked for, and paid.
type cost struct {
	App       string          `json:"app"`
	Recipient format.Address  `json:"recipient"`
	SessionID string          `json:"session_id"`
	Unit      string          `json:"unit"`
	Price     format.Price    `json:"price"`
	Units     format.Num      `json:"units"`
	FeeWei    format.Ceil     `json:"fee_wei"`
	FeeExact  format.Fraction `json:"fee_exact"`
	format.TotalEV
	OverpaidWei   format.Ceil     `json:"overpaid_wei"`
	OverpaidExact format.Fraction `json:"overpaid_exact"`
	format.TicketEV
	FaceValue string `json:"face_value"`
}

func newCost(c *call.Challenge, p live.Price, units int64, fee, paid, balance *big.Rat) *cost {
	params := c.Offer.Params
	return &cost{
		App: c.App, Recipient: format.Address(params.Recipient), SessionID: c.ManifestID, Unit: c.Type.Unit(),
		Price: format.Price{PricePerUnit: format.Nat(p.PerUnit), PixelsPerUnit: format.Nat(p.Pixels)}, Units: format.Num(units),
		FeeWei: format.NewCeil(fee), FeeExact: format.Fraction{Rat: fee}, TotalEV: format.NewTotalEV(paid),
		OverpaidWei: format.NewCeil(balance), OverpaidExact: format.Fraction{Rat: balance},
		TicketEV: format.NewTicketEV(params.EV()), FaceValue: params.FaceValue.String(),
	}
}

func newCallResult(sender common.Address, request *call.Request, result *call.Result) callResult {
	r := callResult{
		URL: request.Target.URL.String(), Sender: format.Address(sender),
		Payments: format.Num(result.Payments), Tickets: format.Num(result.Tickets),
	}
	if result.Status != 0 {
		status := format.Num(result.Status)
		r.HTTPStatus = &status
	}
	if result.Challenge != nil {
		r.cost = newCost(result.Challenge, result.Price, result.Units, result.Fee, result.Paid, result.Balance)
	}
	return r
}

// quoted is what the first payment would be, nil for an app that asks for none.
func quoted(sender common.Address, request *call.Request, due *call.Due) callResult {
	r := callResult{URL: request.Target.URL.String(), Sender: format.Address(sender)}
	if due != nil {
		b := due.Bill
		r.Tickets = format.Num(b.Tickets)
		r.cost = newCost(due.Challenge, b.Price, b.Units, b.Fee, b.Paid(), b.Balance)
	}
	return r
}

func (c *cost) unitPrice() string {
	kind, _ := live.TypeOf(c.Unit)
	return call.Price{Wei: live.Price{PerUnit: int64(c.Price.PricePerUnit), Pixels: int64(c.Price.PixelsPerUnit)}.Rat(), Type: kind}.String()
}

// summary is the result in one line.
func (r callResult) summary() string {
	c := r.cost
	if c == nil {
		return "the app asked for no payment"
	}
	return fmt.Sprintf("paid %s in %s to %s; fee %s (%d × %s)",
		wei.Format(c.TotalEVExact.Rat), words.Count(uint64(r.Tickets), "ticket"), common.Address(c.Recipient), wei.Format(c.FeeExact.Rat), c.Units, c.unitPrice())
}

func (r callResult) writeQuote(w *page.Page) {
	c := r.cost
	if c == nil {
		w.Fields([]page.Field{{"price", "none: the app asked for no payment and answered the call"}})
		return
	}
	w.Fields([]page.Field{
		{"app", format.PlainText(c.App)},
		{"to", common.Address(c.Recipient).Hex()},
		{"price", c.unitPrice()},
		{"first fee", fmt.Sprintf("%s for %s", wei.Format(c.FeeExact.Rat), words.Count(c.Units, live.PriceUnit(c.Unit)))},
		{"tickets", fmt.Sprintf("%s of %s, %s in total", words.Count(uint64(r.Tickets), "ticket"), wei.Format(c.TicketEVExact.Rat), wei.Format(c.TotalEVExact.Rat))},
		{"overpaid", wei.Format(c.OverpaidExact.Rat)},
	})
}

// finish shows what the call cost, also when it failed after it was paid.
func finish(r *cli.Run, sender common.Address, request *call.Request, result *call.Result, failed error) error {
	if result == nil {
		return failed
	}
	document := newCallResult(sender, request, result)
	if r.Output == cli.OutputJSON {
		return errors.Join(failed, cli.Unreported("the call is paid", format.Write(r.Out, "pmctl.call", document)))
	}
	if document.cost != nil || failed == nil {
		r.Note("%s", format.PlainText(document.summary()))
	}
	return failed
}
