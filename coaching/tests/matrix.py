"""Who may open coaching's addresses: the garage's and the missions' samples together."""

from coaching.tests import matrix_athlete, matrix_garage, matrix_missions

SHARED = {*matrix_garage.SHARED, *matrix_athlete.SHARED}
PUBLIC = {*matrix_athlete.PUBLIC}


def samples(owner):
    return (
        matrix_garage.samples(owner)
        | matrix_athlete.samples(owner)
        | matrix_missions.samples(owner)
    )
