package signer

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/wei"
)

// clientDocument is a client as it is printed. Amounts are in wei.
type clientDocument struct {
	Name       string              `json:"name"`
	ID         string              `json:"id"`
	CreatedAt  time.Time           `json:"created_at"`
	ExpiresAt  time.Time           `json:"expires_at,omitzero"`
	RevokedAt  time.Time           `json:"revoked_at,omitzero"`
	Allowances []allowanceDocument `json:"allowances"`
	Recipients []format.Address    `json:"recipients"`
	Apps       []string            `json:"apps"`
	MaxPrices  []priceDocument     `json:"max_prices"`

	// Overcommit says that deposit and reserve may not cover the allowances.
	Overcommit bool `json:"overcommit"`

	// Token and SDKToken are shown when the token was made, and never again.
	Token    string `json:"token,omitempty"`
	SDKToken string `json:"sdk_token,omitempty"`
}

// allowanceDocument is an allowance that is set. Its name is that of the setting, and of the
// signer's refusal.
type allowanceDocument struct {
	Name  string  `json:"name"`
	Limit wei.Wei `json:"limit"`
}

// priceDocument is the highest price of a unit, in wei.
type priceDocument struct {
	Unit       string          `json:"unit"`
	PriceWei   format.Ceil     `json:"price_wei"`
	PriceExact format.Fraction `json:"price_exact"`
}

// String is the price as --max-price takes it.
func (p priceDocument) String() string {
	decimals, _ := p.PriceExact.FloatPrec() // all of them: it was given with so many
	return p.PriceExact.FloatString(decimals) + " wei/" + live.PriceUnit(p.Unit)
}

func documentOf(c *wallet.SignerClient) clientDocument {
	d := clientDocument{
		Name: c.Name, ID: c.ID, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, RevokedAt: c.RevokedAt,
		Allowances: []allowanceDocument{}, Recipients: []format.Address{}, Apps: append([]string{}, c.Terms.Apps...), MaxPrices: []priceDocument{}, Overcommit: c.Terms.Overcommit,
	}
	for _, a := range allowances() {
		if limit := *a.of(&c.Terms); limit != nil {
			d.Allowances = append(d.Allowances, allowanceDocument{a.name, *limit})
		}
	}
	for _, recipient := range c.Terms.Recipients {
		d.Recipients = append(d.Recipients, format.Address(recipient))
	}
	for _, unit := range slices.Sorted(maps.Keys(c.Terms.MaxPrices)) {
		price := c.Terms.MaxPrices[unit]
		d.MaxPrices = append(d.MaxPrices, priceDocument{unit, format.NewCeil(price), format.Fraction{Rat: price}})
	}
	return d
}

func (d clientDocument) write(p *page.Page, now time.Time) {
	fields := []page.Field{{"client", d.Name}, {"state", d.state(p, now)}, {"until", d.until()}}
	for _, a := range allowances() {
		fields = append(fields, page.Field{a.label, d.limit(a.name)})
	}
	p.Fields(append(fields, []page.Field{
		{"overcommit", page.If(d.Overcommit, "yes: deposit and reserve may not cover all allowances")},
		{"recipients", words.Join(d.Recipients, ", ", func(a format.Address) string { return common.Address(a).Hex() })},
		{"apps", strings.Join(d.Apps, ", ")},
		{"max prices", words.Join(d.MaxPrices, ", ", priceDocument.String)},
		{"token", d.Token},
		{"SDK token", d.SDKToken},
	}...))
	if d.Token != "" {
		p.Paragraph("The token is not shown again. Send it as Authorization: Bearer TOKEN.")
	}
}

// state says whether anything is signed for the client.
func (d clientDocument) state(p *page.Page, now time.Time) string {
	switch {
	case !d.RevokedAt.IsZero():
		return p.Red("revoked")
	case !d.ExpiresAt.IsZero() && !now.Before(d.ExpiresAt):
		return p.Red("expired")
	}
	return p.Green("active")
}

// until is the time from which nothing is signed for the client; "" for none.
func (d clientDocument) until() string {
	if ends := cmp.Or(d.RevokedAt, d.ExpiresAt); !ends.IsZero() {
		return ends.Format(time.RFC3339)
	}
	return ""
}

// limit is an allowance for people, "" if it is not set.
func (d clientDocument) limit(name string) string {
	for _, a := range d.Allowances {
		if a.Name == name {
			return a.Limit.String()
		}
	}
	return ""
}

func writeClients(p *page.Page, list []clientDocument, now time.Time) {
	if len(list) == 0 {
		p.Print("no clients: add one with pmctl signer client add NAME\n")
		return
	}
	columns := []page.Column{page.Text("client"), page.Text("state")}
	ends := slices.ContainsFunc(list, func(d clientDocument) bool { return d.until() != "" })
	if ends {
		columns = append(columns, page.Text("until"))
	}
	for _, a := range allowances() {
		columns = append(columns, page.Number(a.label))
	}
	rows := make([][]string, len(list))
	for i, d := range list {
		rows[i] = []string{d.Name, d.state(p, now)}
		if ends {
			rows[i] = append(rows[i], d.until())
		}
		for _, a := range allowances() {
			rows[i] = append(rows[i], d.limit(a.name))
		}
	}
	p.Table(columns, rows)
}
