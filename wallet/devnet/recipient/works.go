package recipient

import (
	"errors"
	"math/big"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// softwareVersion is the version of go-livepeer that the recipient reports: gateways require a
// minimum.
const softwareVersion = "0.9.1"

var (
	// errCapped refuses work that the recipient does not offer, in the deployed node's words.
	errCapped = errors.New("OrchestratorCapped")
	// errIncompatible refuses a payment for such work.
	errIncompatible = errors.New("incompatible capabilities")
)

// transcoding are the capabilities of a node that transcodes: codecs, containers, storage, auth
// tokens, signatures and segment slicing, by the network's numbers.
func transcoding() []uint32 {
	return []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 26}
}

// capabilities encodes the recipient's capabilities for OrchestratorInfo.
func (e *Economy) capabilities() ([]byte, error) {
	all := &wire.Capabilities{Version: softwareVersion, Constraints: new(wire.CapabilityConstraints), Capacities: make(map[uint32]uint32)}
	for _, capability := range transcoding() {
		all.Set(capability)
		all.Capacities[capability] = 1
	}
	for _, work := range e.Works {
		if err := all.Add(work.Work, &wire.ModelConstraint{Warm: true, Capacity: 1}); err != nil {
			return nil, err
		}
		all.Capacities[work.Capability()] = 1
	}
	return proto.Marshal(all)
}

// extras are the prices of all works, and their hardware.
func (e *Economy) extras() *wire.OrchestratorExtras {
	extras := new(wire.OrchestratorExtras)
	for _, work := range e.Works {
		extras.Hardware = append(extras.Hardware, &wire.Hardware{Pipeline: work.Pipeline, Model: work.Model})
		extras.CapabilitiesPrices = append(extras.CapabilitiesPrices, &wire.CapabilityPrice{
			PricePerUnit: work.PricePerUnit, PixelsPerUnit: work.PixelsPerUnit,
			Capability: work.Capability(), Constraint: work.Model,
		})
	}
	return extras
}

// priceOf is the price of a sender's needs, in wei per pixel: the sum over the works that it
// names, or the base price if it names none. It fails with errCapped.
func (e *Economy) priceOf(needs []byte) (*big.Rat, error) {
	asked := new(wire.Capabilities)
	if err := proto.Unmarshal(needs, asked); err != nil {
		return nil, err
	}
	works := asked.Works()
	if len(works) == 0 {
		return big.NewRat(e.PricePerUnit, e.PixelsPerUnit), nil
	}
	sum := new(big.Rat)
	for _, work := range works {
		at := slices.IndexFunc(e.Works, func(own PricedWork) bool { return own.Work == work })
		if at < 0 {
			return nil, errCapped
		}
		sum.Add(sum, big.NewRat(e.Works[at].PricePerUnit, e.Works[at].PixelsPerUnit))
	}
	return sum, nil
}
