package cmd

import (
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/wei"
)

// thresholdSetting is an amount below which pmctl status --check fails.
type thresholdSetting struct {
	key, flag string
	in        func(*config.File) *wei.Wei
}

func minDeposit() thresholdSetting {
	return thresholdSetting{"min_deposit", "--min-deposit", func(f *config.File) *wei.Wei { return f.MinDeposit }}
}

func minReserve() thresholdSetting {
	return thresholdSetting{"min_reserve", "--min-reserve", func(f *config.File) *wei.Wei { return f.MinReserve }}
}

// threshold returns what the files set, nil for nothing, and where.
func (s *settings) threshold(t thresholdSetting) (*wei.Wei, string) {
	for _, layer := range s.layers {
		if value := t.in(layer.File); value != nil {
			return value, layer.place(t.key)
		}
	}
	return nil, theDefault
}
