package look

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// budgetResult is what pmctl budget answers. Expected values are exact.
type budgetResult struct {
	ChainID string         `json:"chain_id"`
	Sender  format.Address `json:"sender"`
	// DayEnds is when the next budget begins.
	DayEnds time.Time `json:"day_ends"`
	// CountsAsSpent is why nothing of the day's budget is left, whatever was spent.
	CountsAsSpent string       `json:"counts_as_spent,omitempty"`
	Tickets       string       `json:"tickets"`
	Lines         []budgetLine `json:"budget"`
}

// budgetLine is one kind of spending on one recipient, or on all.
type budgetLine struct {
	Recipient *format.Address `json:"recipient,omitempty"`
	Kind      string          `json:"kind"`
	Spent     string          `json:"spent"`
	Limit     *wei.Wei        `json:"limit,omitempty"`
	SetIn     string          `json:"set_in,omitempty"`

	spent *big.Rat
}

// NewBudget is pmctl budget.
func NewBudget(r *cli.Run) *cobra.Command {
	var network cli.NetworkOptions
	var account cli.AccountOptions
	var place cli.StoreOptions
	cmd := &cobra.Command{
		Use:   "budget",
		Short: "Show what was spent today, and what the budget allows",
		Long: `Budget shows what an account's tickets of this UTC day come to, in expected
value and in face value, which is what they cost if every one wins, and the
limits that the config file sets. Nobody is asked, and no key is opened.`,
		Example: `  pmctl budget
  pmctl budget --from 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBudget(r, cmd, &network, &account, &place) },
	}
	network.Register(cmd)
	cmd.Flags().StringVar(&account.From, "from", "", "`ADDRESS` to show (default $ETH_FROM, else the only account there is)")
	account.Keys.RegisterAddress(cmd)
	place.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func runBudget(r *cli.Run, cmd *cobra.Command, network *cli.NetworkOptions, account *cli.AccountOptions, place *cli.StoreOptions) error {
	settings, err := r.Settings()
	if err != nil {
		return err
	}
	limits, err := settings.Limits()
	if err != nil {
		return err
	}
	chosen, _, err := network.Choose(r.Env)
	if err != nil {
		return err
	}
	sender, err := cli.StatusAddress(cmd.Context(), r.Env, account, nil)
	if err != nil {
		return err
	}
	s, err := cli.OpenStore(cmd.Context(), r, place)
	if err != nil {
		return err
	}
	defer s.Close()
	spent, err := s.Chain(chosen.ChainID).Spending(cmd.Context(), sender, r.Now())
	if err != nil {
		return err
	}
	result := newBudgetResult(limits, spent)
	result.ChainID, result.Sender = fmt.Sprint(chosen.ChainID), format.Address(sender)
	return r.Emit("pmctl.budget", result, result.write)
}

func newBudgetResult(limits policy.Limits, spent policy.Spending) budgetResult {
	result := budgetResult{DayEnds: spent.Ends(), CountsAsSpent: spent.Spent, Tickets: fmt.Sprint(spent.All.Tickets)}
	add := func(recipient *common.Address, sum policy.Sum, ev, faceValue policy.Setting) {
		for _, line := range []struct {
			kind    string
			spent   *big.Rat
			setting policy.Setting
		}{
			{"ev", sum.Plus(policy.Sum{}).EV, ev},
			{"face_value", new(big.Rat).SetInt(sum.Plus(policy.Sum{}).FaceValue), faceValue},
		} {
			limit, where := limits.Budget(line.setting)
			result.Lines = append(result.Lines, budgetLine{
				Recipient: (*format.Address)(recipient), Kind: line.kind,
				Spent: line.spent.RatString(), Limit: limit, SetIn: where, spent: line.spent,
			})
		}
	}
	add(nil, spent.All, policy.EVPerDay, policy.FaceValuePerDay)
	recipients := slices.SortedFunc(maps.Keys(spent.Recipients), func(a, b common.Address) int { return bytes.Compare(a[:], b[:]) })
	for _, recipient := range recipients {
		add(&recipient, spent.Recipients[recipient], policy.RecipientEVPerDay, policy.RecipientFaceValuePerDay)
	}
	return result
}

func (b budgetResult) write(w io.Writer) error {
	fields := []cli.Field{
		{"sender", common.Address(b.Sender).Hex()},
		{"day ends", b.DayEnds.Format(time.RFC3339)},
		{"tickets", b.Tickets},
	}
	if b.CountsAsSpent != "" {
		fields = append(fields, cli.Field{"spent", "all of the budget: " + b.CountsAsSpent})
	}
	for _, line := range b.Lines {
		if line.Recipient != nil && line.Kind == "ev" {
			fields = append(fields, cli.Field{"recipient", common.Address(*line.Recipient).Hex()})
		}
		text := wei.Format(line.spent)
		if line.Limit != nil {
			text += fmt.Sprintf(" of %s (%s)", line.Limit, line.SetIn)
		}
		name := "EV"
		if line.Kind == "face_value" {
			name = "face value"
		}
		fields = append(fields, cli.Field{name, text})
	}
	return cli.WriteFields(w, fields)
}
