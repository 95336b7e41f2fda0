package signer

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// clientDocument is a client as it is printed. Amounts are in wei.
type clientDocument struct {
	Name        string           `json:"name"`
	ID          string           `json:"id"`
	CreatedAt   time.Time        `json:"created_at"`
	ExpiresAt   *time.Time       `json:"expires_at,omitempty"`
	RevokedAt   *time.Time       `json:"revoked_at,omitempty"`
	EVPerDay    string           `json:"ev_per_day,omitempty"`
	WorstPerDay string           `json:"worst_per_day,omitempty"`
	Total       string           `json:"total,omitempty"`
	Recipients  []format.Address `json:"recipients"`
	Apps        []string         `json:"apps"`
	MaxPrices   []priceDocument  `json:"max_prices"`

	// Token and SDKToken are shown when the token was made, and never again.
	Token    string `json:"token,omitempty"`
	SDKToken string `json:"sdk_token,omitempty"`
}

// priceDocument is a highest price: n/d wei a unit.
type priceDocument struct {
	Unit  string `json:"unit"`
	Price string `json:"price"`
}

func documentOf(c *wallet.SignerClient) clientDocument {
	amount := func(w *wei.Wei) string {
		if w == nil {
			return ""
		}
		return w.Decimal()
	}
	d := clientDocument{
		Name: c.Name, ID: c.ID, CreatedAt: c.CreatedAt, ExpiresAt: timeOf(c.ExpiresAt), RevokedAt: timeOf(c.RevokedAt),
		EVPerDay: amount(c.Terms.EVPerDay), WorstPerDay: amount(c.Terms.FaceValuePerDay), Total: amount(c.Terms.EVTotal),
		Recipients: []format.Address{}, Apps: append([]string{}, c.Terms.Apps...), MaxPrices: []priceDocument{},
	}
	for _, recipient := range c.Terms.Recipients {
		d.Recipients = append(d.Recipients, format.Address(recipient))
	}
	for _, unit := range slices.Sorted(maps.Keys(c.Terms.MaxPrices)) {
		d.MaxPrices = append(d.MaxPrices, priceDocument{unit, c.Terms.MaxPrices[unit].String()})
	}
	return d
}

// timeOf is nil for the zero time.
func timeOf(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func (d clientDocument) write(p *cli.Page) error {
	fields := []cli.Field{{"client", d.Name}, {"state", d.state(p)}}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, cli.Field{name, value})
		}
	}
	add("EV per day", shown(d.EVPerDay))
	add("worst per day", shown(d.WorstPerDay))
	add("EV in all", shown(d.Total))
	var recipients, prices []string
	for _, recipient := range d.Recipients {
		recipients = append(recipients, common.Address(recipient).Hex())
	}
	for _, price := range d.MaxPrices {
		prices = append(prices, strings.TrimSuffix(price.Price, "/1")+" wei/"+price.Unit)
	}
	add("recipients", strings.Join(recipients, ", "))
	add("apps", strings.Join(d.Apps, ", "))
	add("max. prices", strings.Join(prices, ", "))
	add("token", d.Token)
	add("SDK token", d.SDKToken)
	if err := p.Fields(fields); err != nil || d.Token == "" {
		return err
	}
	return p.Paragraph("The token is not shown again. Send it as Authorization: Bearer TOKEN.")
}

// state says whether anything is signed for the client.
func (d clientDocument) state(p *cli.Page) string {
	switch {
	case d.RevokedAt != nil:
		return p.Red("revoked") + " at " + d.RevokedAt.Format(time.RFC3339)
	case d.ExpiresAt != nil:
		return p.Green("active") + " until " + d.ExpiresAt.Format(time.RFC3339)
	}
	return p.Green("active")
}

// shown is an amount of wei with a unit for people.
func shown(decimal string) string {
	if decimal == "" {
		return ""
	}
	amount, err := wei.Parse(decimal + "wei")
	if err != nil {
		return decimal + " wei"
	}
	return amount.String()
}

func writeClients(p *cli.Page, list []clientDocument) error {
	if len(list) == 0 {
		return p.Print("no clients: add one with pmctl signer client add NAME\n")
	}
	rows := make([][]string, len(list))
	for i, d := range list {
		rows[i] = []string{d.Name, d.state(p), shown(d.EVPerDay), shown(d.WorstPerDay), shown(d.Total)}
	}
	return p.Table([]cli.Column{cli.Text("client"), cli.Text("state"), cli.Number("EV/day"), cli.Number("worst/day"), cli.Number("EV in all")}, rows)
}
