{# `only_new`: what earlier nights appended was tested then. #}
{% test unique_combination(model, columns, only_new=false) %}
select {{ columns | join(', ') }}
from {{ model }}
{% if only_new %}where known_at > {{ known_after() }}{% endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
