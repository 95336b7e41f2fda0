package ticket

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// requested is the request for a batch, nil when it has no id. What comes on stdin is
// often fetched anew by a retry, so that its recipient alone tells requests apart.
func (o *batchOptions) requested(cmd *cobra.Command, u pay.URL, document *format.Params, amount pay.Amount) (*store.Request, error) {
	source := "url " + u.String()
	switch {
	case document == nil:
	case o.params == "-":
		source = "recipient " + common.Address(document.Offer.Recipient).Hex()
	default:
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(text)
		source = "params " + hex.EncodeToString(digest[:])
	}
	return o.request.Request(cmd, "batch", source, fmt.Sprint(amount.Count), amount.Value.Decimal())
}
