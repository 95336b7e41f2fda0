package cli

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

// envRPCURL names the variable with the node's URL.
const envRPCURL = "ETH_RPC_URL"

// TheDefault is the source of a value that is not set.
const TheDefault = "the default"

// Settings are the config files: the system's, which only its owner can change,
// the user's, and in each the profile that was asked for.
type Settings struct {
	System, User *config.File
	// Profile is the name of the profile, "" for none.
	Profile string
	// layers are what sets something, from the first to be asked to the last: the
	// Profile of the user's file, that of the system's, the user's file, the system's.
	layers []layer
}

// layer is a file, or a profile in it.
type layer struct {
	*config.File
	profile string
}

// place names a setting of the layer, for people.
func (l layer) place(key string) string { return config.Place(key, l.profile, l.Path) }

// Settings reads the config files.
func (e *Env) Settings() (*Settings, error) {
	s := &Settings{User: new(config.File)}
	var err error
	if s.System, err = config.Read(e.SystemConfig); err != nil {
		return nil, err
	}
	// A user without a home folder has no file in it.
	if dir, err := e.configDir(); err == nil {
		if s.User, err = config.Read(filepath.Join(dir, "config.toml")); err != nil {
			return nil, err
		}
	}
	files := []*config.File{s.User, s.System}
	if s.Profile = e.Profile; s.Profile == "" {
		s.Profile = e.Getenv("PMCTL_PROFILE")
	}
	if s.Profile != "" {
		for _, file := range files {
			if profile := file.Profiles[s.Profile]; profile != nil {
				s.layers = append(s.layers, layer{profile, s.Profile})
			}
		}
		if len(s.layers) == 0 {
			return nil, s.noProfile()
		}
	}
	for _, file := range files {
		s.layers = append(s.layers, layer{file, ""})
	}
	return s, nil
}

// noProfile says which profiles there are.
func (s *Settings) noProfile() error {
	known := s.Profiles()
	err := Usagef("unknown profile %q", s.Profile)
	if len(known) == 0 {
		return WithHint(err, "no config file defines a profile; add a section [profile.%s]", s.Profile)
	}
	return WithHint(err, "the profiles are %s", strings.Join(known, ", "))
}

// Profiles are the names of those that there are.
func (s *Settings) Profiles() []string {
	known := make(map[string]bool)
	for _, file := range []*config.File{s.User, s.System} {
		for name := range file.Profiles {
			known[name] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// ranked are the layers by who may set what binds: the system's file, its profile, the
// User's file, its profile. What one sets, those after it can tighten and not loosen.
func (s *Settings) ranked() []layer {
	var ranked []layer
	for _, file := range []*config.File{s.System, s.User} {
		ranked = append(ranked, layer{file, ""})
		if profile := file.Profiles[s.Profile]; profile != nil {
			ranked = append(ranked, layer{profile, s.Profile})
		}
	}
	return ranked
}

// Limits are the defaults with the files' rules over them.
func (s *Settings) Limits() (policy.Limits, error) {
	limits := policy.Default()
	var err error
	for _, layer := range s.ranked() {
		if limits, err = limits.With(layer.Rules); err != nil {
			return limits, err
		}
	}
	return limits, nil
}

// storeUpTo returns the store as it would be without the layers behind a rank, and what
// names it; "" where none does. For what is set outside of profiles no profile counts: it
// is the same in all of them.
func (s *Settings) storeUpTo(rank int) (location, from string) {
	ranked := s.ranked()
	own := ranked[rank].profile
	for _, layer := range s.layers {
		if layer.Store == "" || layer.profile != "" && own == "" {
			continue
		}
		if at := slices.Index(ranked, layer); at <= rank {
			return layer.Store, layer.place("store")
		}
	}
	return "", ""
}

// FundAuto returns the rules of pmctl fund auto, and where each key that a file sets is set. It fails
// as topup.Read does; the rules are there even so.
func (s *Settings) FundAuto() (topup.Rules, map[string]string, error) {
	texts := make([]map[string]string, len(s.layers))
	for i, layer := range s.layers {
		texts[i] = layer.FundAuto
	}
	rules, from, err := topup.Read(texts...)
	places := make(map[string]string, len(from))
	for key, i := range from {
		places[key] = s.layers[i].place(key)
	}
	return rules, places, err
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
	for _, layer := range files.layers {
		if value := s.in(layer.File); value != "" {
			return value, layer.place(s.Name), nil
		}
	}
	return "", TheDefault, nil
}

// ThresholdSetting is an amount below which pmctl status --check fails.
type ThresholdSetting struct {
	Key, Flag string
	in        func(*config.File) *wei.Wei
}

func MinDeposit() ThresholdSetting {
	return ThresholdSetting{"min_deposit", "--min-deposit", func(f *config.File) *wei.Wei { return f.MinDeposit }}
}

func MinReserve() ThresholdSetting {
	return ThresholdSetting{"min_reserve", "--min-reserve", func(f *config.File) *wei.Wei { return f.MinReserve }}
}

// Threshold returns what the files set, nil for nothing, and where.
func (s *Settings) Threshold(t ThresholdSetting) (*wei.Wei, string) {
	for _, layer := range s.layers {
		if value := t.in(layer.File); value != nil {
			return value, layer.place(t.Key)
		}
	}
	return nil, TheDefault
}
