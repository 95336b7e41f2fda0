package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"

	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/config"
)

// envRPCURL names the variable with the node's URL.
const envRPCURL = "ETH_RPC_URL"

// TheDefault is the source of a value that is not set.
const TheDefault = "the default"

// Settings reads the config files.
func (e *Env) Settings() (*config.Settings, error) {
	if e.settings != nil {
		return e.settings, nil
	}
	user := ""
	switch dir, err := e.configDir(); {
	case err == nil:
		user = filepath.Join(dir, "config.toml")
	case !errors.Is(err, errNoHome):
		return nil, err
	}
	settings, err := config.ReadSettings(e.SystemConfig, user, cmp.Or(e.Profile, e.Getenv("PMCTL_PROFILE")))
	if errors.Is(err, config.ErrProfile) {
		err = Usage(err)
	}
	return settings, err
}

// setting is something that a flag, a variable or a config file can set.
type setting struct {
	// Name is its key in a file, flag and variable its other names.
	Name, flag, variable string
	in                   func(*config.File) string
}

// SettingNetwork is the network's name.
func SettingNetwork() setting {
	return setting{"network", "--network", "PMCTL_NETWORK", func(f *config.File) string { return f.Network }}
}

// SettingFrom is the account that acts.
func SettingFrom() setting {
	return setting{"from", "--from", "ETH_FROM", func(f *config.File) string {
		if f.From == nil {
			return ""
		}
		return f.From.Hex()
	}}
}

// SettingKeystore is where the key files are.
func SettingKeystore() setting {
	return setting{"keystore", "--keystore", "ETH_KEYSTORE", func(f *config.File) string { return f.Keystore }}
}

// SettingStore is where the store is.
func SettingStore() setting {
	return setting{"store", "--store", "PMCTL_STORE", func(f *config.File) string { return f.Store }}
}

// Find returns the first value that is not empty: the flag's, the environment
// variable's, or that of the config files; and where it is from.
func (e *Env) Find(flag string, s setting) (value, from string, err error) {
	if flag != "" {
		return flag, s.flag, nil
	}
	if value := e.Getenv(s.variable); value != "" {
		return value, s.variable, nil
	}
	files, err := e.Settings()
	if err != nil {
		return "", "", err
	}
	for _, layer := range files.Layers {
		if value := s.in(layer.File); value != "" {
			return value, layer.Place(s.Name), nil
		}
	}
	return "", TheDefault, nil
}

// Thresholds are the amounts below which pmctl status --check fails, as the files set them: that of the
// deposit and that of the reserve.
func Thresholds(s *config.Settings) (deposit, reserve check.Threshold) {
	deposit.From, reserve.From = TheDefault, TheDefault
	for _, layer := range slices.Backward(s.Layers) {
		if layer.MinDeposit != nil {
			deposit = check.Threshold{Least: layer.MinDeposit, From: layer.Place("min_deposit")}
		}
		if layer.MinReserve != nil {
			reserve = check.Threshold{Least: layer.MinReserve, From: layer.Place("min_reserve")}
		}
	}
	return deposit, reserve
}
