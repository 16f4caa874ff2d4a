{# Whether a payment of this status moved money: what failed, is pending or was cancelled moved none. #}
{% macro moves_money(status) -%}
    coalesce({{ status }}, 'succeeded') not in (
            'failed', 'failure', 'pending', 'processing', 'in_progress', 'scheduled', 'draft',
            'canceled', 'cancelled', 'declined', 'rejected', 'void', 'voided', 'error', 'expired',
            'requires_payment_method', 'requires_action', 'requires_confirmation',
            'requires_capture'
        )
{%- endmacro %}
