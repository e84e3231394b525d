"""int8: smoothed, quantized, exported and checked against fp32."""
