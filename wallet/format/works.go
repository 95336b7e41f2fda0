package format

import (
	"slices"

	"github.com/pmctl/pmctl/pm/wire"
)

// SetWorks sets the works that the params were asked for.
func (p *Params) SetWorks(works []wire.Work) {
	p.Works = nil
	for _, work := range works {
		p.Works = append(p.Works, work.String())
	}
}

// WorksAsked returns the works that the params were asked for. It returns wire.ErrWork for a
// document that ReadParams did not read.
func (p *Params) WorksAsked() ([]wire.Work, error) {
	var works []wire.Work
	for _, text := range p.Works {
		work, err := wire.ParseWork(text)
		if err != nil {
			return nil, err
		}
		works = append(works, work)
	}
	return works, nil
}

// checkWorks refuses unknown works, and prices that the answer does not have.
func (p *Params) checkWorks() error {
	if _, err := p.WorksAsked(); err != nil {
		return err
	}
	if p.WorkPrices == nil { // a document of an older version
		return nil
	}
	info, err := p.Info()
	if err != nil {
		return err
	}
	if !slices.Equal(p.WorkPrices, workPrices(info)) {
		return &wire.FieldError{Field: "capabilities_prices", Got: "prices that the recipient's answer does not have", Want: "those in its unknown"}
	}
	return nil
}

func workPrices(info *wire.OrchestratorInfo) (prices []WorkPrice) {
	for _, price := range info.Prices() {
		prices = append(prices, WorkPrice{
			Capability:    price.GetCapability(),
			Pipeline:      wire.PipelineName(price.GetCapability()),
			Model:         price.GetConstraint(),
			PricePerUnit:  Nat(price.GetPricePerUnit()),
			PixelsPerUnit: Nat(price.GetPixelsPerUnit()),
		})
	}
	return prices
}
