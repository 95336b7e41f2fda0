// Package metrics writes metrics in the text format of Prometheus.
package metrics

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"

	"github.com/pmctl/pmctl/internal/num"
)

// Metric is one metric with its samples.
type Metric struct {
	Name, Help string
	Samples    []Sample

	kind string
}

// Sample is a value under labels beside those that all samples have.
type Sample struct {
	Labels Labels
	Value  string

	suffix string
}

// Labels are names with their values.
type Labels string

// Label is one label.
func Label(name, value string) Labels {
	return Labels(name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`)
}

// With returns the labels with another one behind them.
func (l Labels) With(name, value string) Labels {
	if l == "" {
		return Label(name, value)
	}
	return l + "," + Label(name, value)
}

// Gauge is a metric that rises and falls.
func Gauge(name, help string, samples ...Sample) Metric { return Metric{name, help, samples, "gauge"} }

// Counter is a metric that rises. Its name ends in _total.
func Counter(name, help string, samples ...Sample) Metric {
	return Metric{name, help, samples, "counter"}
}

// One is the samples of a metric that has a single one.
func One(value string) []Sample { return []Sample{{Value: value}} }

// Bool is 1 or 0.
func Bool(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// Whole is an amount, rounded up to a whole number.
func Whole(amount *big.Rat) string { return num.Ceil(amount).String() }

// Format writes metrics, each with the labels that all samples have. It leaves out those
// without a sample.
func Format(all Labels, metrics []Metric) []byte {
	var text bytes.Buffer
	for _, m := range metrics {
		if len(m.Samples) == 0 {
			continue
		}
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.kind)
		for _, sample := range m.Samples {
			labels := all
			if sample.Labels != "" {
				labels = Labels(strings.TrimPrefix(string(all+","+sample.Labels), ","))
			}
			fmt.Fprintf(&text, "%s%s{%s} %s\n", m.Name, sample.suffix, labels, sample.Value)
		}
	}
	return text.Bytes()
}
