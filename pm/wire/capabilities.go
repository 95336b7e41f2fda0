package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
)

// capabilityAuthToken is a capability that every sender needs: returning an auth token.
const capabilityAuthToken = 12

// pipelines are the named kinds of AI work, with the network's number for each.
func pipelines() map[string]uint32 {
	return map[string]uint32{
		"text-to-image":       27,
		"image-to-image":      28,
		"image-to-video":      29,
		"upscale":             30,
		"audio-to-text":       31,
		"segment-anything-2":  32,
		"llm":                 33,
		"image-to-text":       34,
		"live-video-to-video": 35,
		"text-to-speech":      36,
		"byoc":                37,
	}
}

// Pipelines are the names of all pipelines, sorted.
func Pipelines() []string { return slices.Sorted(maps.Keys(pipelines())) }

// PipelineName is the name of a capability, and "capability N" for one that is not a pipeline.
func PipelineName(capability uint32) string {
	for name, number := range pipelines() {
		if number == capability {
			return name
		}
	}
	return fmt.Sprintf("capability %d", capability)
}

// Work is a kind of AI work: a model of a pipeline.
type Work struct{ Pipeline, Model string }

// String returns the work as ParseWork reads it.
func (w Work) String() string { return w.Pipeline + "/" + w.Model }

// Capability is the network's number of the pipeline, 0 for an unknown one.
func (w Work) Capability() uint32 { return pipelines()[w.Pipeline] }

// ErrWork is wrapped by errors about text that is not a kind of work.
var ErrWork = errors.New("not PIPELINE/MODEL")

// ParseWork parses "PIPELINE/MODEL". A model's name may contain slashes. It fails with ErrWork.
func ParseWork(text string) (Work, error) {
	pipeline, model, _ := strings.Cut(text, "/")
	if (Work{pipeline, model}).Capability() == 0 {
		return Work{}, fmt.Errorf("%w: %q: the pipeline must be one of %s", ErrWork, text, strings.Join(Pipelines(), ", "))
	}
	if model == "" {
		return Work{}, fmt.Errorf("%w: %q has no model", ErrWork, text)
	}
	return Work{pipeline, model}, nil
}

// Needs are the capabilities that a sender requests, encoded, so that the price is that of the
// work; nil for none, which recipients answer with their base price. The same works in the same
// order have the same bytes. It fails with ErrWork.
func Needs(works []Work) ([]byte, error) {
	if len(works) == 0 {
		return nil, nil
	}
	needs := &Capabilities{Constraints: &CapabilityConstraints{Models: map[uint32]*ModelConstraints{}}}
	needs.Set(capabilityAuthToken)
	for _, work := range works {
		if err := needs.Add(work, new(ModelConstraint)); err != nil {
			return nil, err
		}
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(needs)
}

// Add adds a kind of work to capabilities. It fails with ErrWork.
func (x *Capabilities) Add(work Work, constraint *ModelConstraint) error {
	number := work.Capability()
	if number == 0 || work.Model == "" {
		return fmt.Errorf("%w: %q", ErrWork, work)
	}
	x.Set(number)
	if x.Constraints == nil {
		x.Constraints = new(CapabilityConstraints)
	}
	if x.Constraints.Models == nil {
		x.Constraints.Models = make(map[uint32]*ModelConstraints)
	}
	models := x.Constraints.Models[number]
	if models == nil {
		models = new(ModelConstraints)
		x.Constraints.Models[number] = models
	}
	if models.ByName == nil { // also of a decoded message that names no model
		models.ByName = make(map[string]*ModelConstraint)
	}
	models.ByName[work.Model] = constraint
	return nil
}

// Set adds a capability without constraints, by its number.
func (x *Capabilities) Set(capability uint32) {
	word := int(capability / 64)
	for len(x.Bitstring) <= word {
		x.Bitstring = append(x.Bitstring, 0)
	}
	x.Bitstring[word] |= 1 << (capability % 64)
}

// Works are the kinds of work, sorted, for which capabilities name a model.
func (x *Capabilities) Works() []Work {
	var works []Work
	for capability, models := range x.GetConstraints().GetModels() {
		for model := range models.GetByName() {
			works = append(works, Work{PipelineName(capability), model})
		}
	}
	slices.SortFunc(works, func(a, b Work) int { return strings.Compare(a.String(), b.String()) })
	return works
}

// Prices are an answer's prices for kinds of work, in its order, without invalid entries; nil
// if it has none that can be read.
func (x *OrchestratorInfo) Prices() []*CapabilityPrice {
	extras := new(OrchestratorExtras)
	if err := proto.Unmarshal(x.ProtoReflect().GetUnknown(), extras); err != nil {
		return nil
	}
	return slices.DeleteFunc(extras.CapabilitiesPrices, func(p *CapabilityPrice) bool {
		return p.GetPricePerUnit() < 0 || p.GetPixelsPerUnit() <= 0
	})
}

// WithNeeds returns a Livepeer-Segment header with the sender's needs, as Needs encodes them:
// the answer's fresh params are then at the price of that work. The signature does not cover
// it. It fails as DecodeSegmentHeader does.
func WithNeeds(header string, needs []byte) (string, error) {
	if needs == nil {
		return header, nil
	}
	segment, err := DecodeSegmentHeader(header)
	if err != nil {
		return "", err
	}
	segment.Capabilities = needs
	return EncodeHeader(segment)
}

// SetExtras sets an answer's further fields, and drops all earlier ones.
func (x *OrchestratorInfo) SetExtras(extras *OrchestratorExtras) error {
	encoded, err := proto.Marshal(extras)
	if err != nil {
		return err
	}
	x.ProtoReflect().SetUnknown(encoded)
	return nil
}
